/** Offers of all connected cards, the soonest to end first. */
import '../styles/forms.css';
import '../styles/partners.css';
import { useEffect, useState } from 'preact/hooks';
import { sentence } from '../messages';
import { PARTNERS } from '../messages/partners';
import { nextChange, offersOn } from '../offers';
import { programmes, type Programme } from '../programmes';
import { textIn } from '../texts';
import { cards, language, wish, wishes } from '../wallet';
import { useNow } from './now';
import { OfferItem } from './offer-item';
import { Screen } from './screen';
import { say } from './toasts';
import { ShopIcon } from '../icons-shops';
import { markPlace } from '../offers';

export function Offers() {
  const said = PARTNERS[language.value];
  const now = useNow((at) => nextChange(cards.value, at));
  const offered = offersOn(cards.value, wishes.value.muted, now);
  return (
    <Screen title={said.offersTitle}>
      <div class="narrow stack">
        {offered.length > 0
          ? offered.map((one) => <OfferItem key={markPlace(one.slug, one.offer)} offered={one} withCard />)
          : <NoOffers />}
        <Muted />
        <a class="menu-item block" href="/connected"><ShopIcon name="shop" /><span class="grow">{said.connectedTitle}</span></a>
      </div>
    </Screen>
  );
}

function NoOffers() {
  const said = PARTNERS[language.value];
  return (
    <div class="empty-offers" data-testid="no-offers">
      <ShopIcon name="tag" />
      <h2>{said.noOffers}</h2>
      <p class="soft">{said.noOffersMore}</p>
    </div>
  );
}

function Muted() {
  const said = PARTNERS[language.value];
  const name = useShopNames();
  const { muted } = wishes.value;
  if (!muted.length) return null;
  const hear = (slug: string) => wish({ slug, muted: false }).catch((error: unknown) => say(sentence(error)));
  return (
    <section class="block">
      <h2>{said.mutedShops}</h2>
      <ul>
        {muted.map((slug) => (
          <li key={slug} class="row row-flush">
            <span class="row-name">{name(slug)}</span>
            <button type="button" class="button" data-testid="hear" aria-label={`${said.hear}: ${name(slug)}`}
              onClick={() => void hear(slug)}>
              {said.hear}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a shop is called: as the person calls its card, else as it calls itself. */
export function useShopNames(): (slug: string) => string {
  const [known, setKnown] = useState<ReadonlyMap<string, Programme>>(new Map());
  useEffect(() => void programmes().then(setKnown, () => undefined), []);
  return (slug) => {
    const card = cards.value.find(({ live, merchant }) => (live?.slug ?? merchant) === slug);
    return card?.name ?? (textIn(language.value, known.get(slug)?.name) || slug);
  };
}
