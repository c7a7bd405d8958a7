/** At the till, below the balance: what else its shop says, or that it could. */
import '../styles/partners.css';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../icons';
import { ShopIcon } from '../icons-shops';
import { PARTNERS } from '../messages/partners';
import { until } from '../messages/when';
import type { Card } from '../model';
import { nextChange, offersOn } from '../offers';
import { programmeOf, type Programme } from '../programmes';
import { LinkAlert } from '../screens/alert';
import { LiveDetails } from '../screens/live-details';
import { useNow } from '../screens/now';
import { tell, wasTold } from '../screens/told';
import { textIn } from '../texts';
import { account, language, mayEdit, sync, wishes } from '../wallet';

export function Live({ card }: { readonly card: Card }) {
  return card.live ? <Connected card={card} /> : <Connectable card={card} />;
}

function Connected({ card }: { readonly card: Card }) {
  return (
    <>
      <LiveDetails live={card.live!} />
      <LinkAlert card={card} />
      <FirstOffer card={card} />
      <ToBack card={card} />
    </>
  );
}

function ToBack({ card }: { readonly card: Card }) {
  return (
    <a class="menu-item till-more" href={`/c/${card.id}/back`} data-testid="card-back">
      <ShopIcon name="shop" /><span class="grow">{PARTNERS[language.value].more}</span><Icon name="forward" />
    </a>
  );
}

function FirstOffer({ card }: { readonly card: Card }) {
  const said = PARTNERS[language.value];
  const now = useNow((at) => nextChange([card], at));
  const [first, ...others] = offersOn([card], wishes.value.muted, now);
  if (!first) return null;
  const { title, ends_at } = first.offer;
  const when = until(language.value, ends_at);
  return (
    <a class="menu-item offer-line" href={`/c/${card.id}/back`} data-testid="till-offer">
      <ShopIcon name="tag" />
      <span class="grow">
        {textIn(language.value, title)}
        <small class="soft tiny row-under">
          {others.length ? `${when} · ${said.moreOffers(others.length)}` : when}
        </small>
      </span>
    </a>
  );
}

/** Said once of a card whose shop could show its balance; after that it is found on the card's back. */
function Connectable({ card }: { readonly card: Card }) {
  const said = PARTNERS[language.value];
  const programme = useProgramme(card);
  const asked = `connect:${card.id}`;
  if (!programme || programme === 'unreachable') return null;
  const isQuiet = !account.value || !mayEdit(card) || wasTold(asked) || !wasTold('brightness');
  if (isQuiet) return <ToBack card={card} />;
  return (
    <div class="till-hint wide" data-testid="connectable">
      <p class="small">{said.canConnect}</p>
      <a class="button quiet" href={`/c/${card.id}/connect`} data-testid="connect">{said.connect}</a>
      <button type="button" class="button quiet" onClick={() => tell(asked)}>{said.notNow}</button>
    </div>
  );
}

/** What is known of the programme of a card's shop: null where it has none, undefined while it is asked for. */
export type Sought = Programme | null | 'unreachable' | undefined;

/** Asked for again when the network is back; what was found stays meanwhile. */
export function useProgramme({ live, merchant }: Card): Sought {
  const [found, setFound] = useState<{ readonly of: string; readonly programme: Sought }>();
  const slug = live?.slug ?? merchant;
  const isOffline = sync.value.state === 'offline';
  useEffect(() => {
    if (!slug) return undefined;
    let wanted = true;
    const show = (programme: Sought) => wanted && setFound({ of: slug, programme });
    void programmeOf({ merchant: slug }).then((programme) => show(programme ?? null), () => show('unreachable'));
    return () => void (wanted = false);
  }, [slug, isOffline]);
  if (!slug) return null;
  return found?.of === slug ? found.programme : undefined;
}
