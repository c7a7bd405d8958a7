/** One offer of a shop, as the shop says it; what the person does with it is noted for the shop to be counted. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ShopIcon } from '../icons-shops';
import { mark, marks, sendSoon, unmarkUsed } from '../marks';
import { sentence, words } from '../messages';
import { PARTNERS } from '../messages/partners';
import { until } from '../messages/when';
import type { Offer } from '../model';
import { markPlace, type Offered } from '../offers';
import { pictureAddress } from '../programmes';
import { textIn } from '../texts';
import { Tile } from '../tile';
import { language, wish } from '../wallet';
import { say } from './toasts';

const DAY_MS = 86_400_000;

interface OfferItemProps {
  readonly offered: Offered;
  /** Whether to name the shop and lead to its card: not where the card is at hand. */
  readonly withCard?: boolean;
}

export function OfferItem({ offered, withCard = false }: OfferItemProps) {
  const { offer, card, slug } = offered;
  const item = useRef<HTMLElement>(null);
  useSeen(item, offered);
  const text = textIn(language.value, offer.text);
  // Beside others of one card it is a part of that card's section.
  const Title = withCard ? 'h2' : 'h3';
  const heading = `offer-${markPlace(slug, offer)}`;
  return (
    <article class="offer" ref={item} aria-labelledby={heading} data-testid="offer">
      {withCard && (
        <a class="offer-shop" href={`/c/${card.id}`}><Tile card={card} /><span class="grow">{card.name}</span></a>
      )}
      {offer.picture && <img class="offer-picture" src={pictureAddress(offer.picture)} alt="" loading="lazy" />}
      <Title id={heading} class="offer-title">{textIn(language.value, offer.title)}</Title>
      <p class={`small ${isLast(offer) ? 'live-soon' : 'soft'}`}>{until(language.value, offer.ends_at)}</p>
      {text && <p class="offer-text">{text}</p>}
      <More offered={offered} />
      <Doing offered={offered} />
    </article>
  );
}

/** Whether it ends today or tomorrow. */
function isLast({ ends_at }: Offer): boolean {
  return Date.parse(ends_at) - Date.now() < 2 * DAY_MS;
}

function More({ offered: { offer, slug } }: OfferItemProps) {
  const said = PARTNERS[language.value];
  const terms = textIn(language.value, offer.terms);
  const opened = (event: Event) => {
    if ((event.currentTarget as HTMLDetailsElement).open) void mark(slug, offer, 'opened').catch(() => undefined);
  };
  return (
    <details class="small" onToggle={opened}>
      <summary>{terms ? said.details : said.why}</summary>
      <div class="stack">
        {terms && <p class="offer-text">{terms}</p>}
        <p class="soft">{said.whys[offer.why] ?? said.whys.all}</p>
      </div>
    </details>
  );
}

function Doing({ offered: { offer, card, slug } }: OfferItemProps) {
  const said = PARTNERS[language.value];
  const used = useSignal(false);
  useEffect(() => {
    void marks().then((all) => (used.value = !!all[markPlace(slug, offer)]?.used), () => undefined);
  }, [slug, offer.id]);
  const tick = (on: boolean) => {
    used.value = on;
    void (on ? mark(slug, offer, 'used') : unmarkUsed(slug, offer)).catch((error: unknown) => say(sentence(error)));
  };
  return (
    <div class="offer-doing">
      <label class="check">
        <input type="checkbox" data-testid="offer-used" checked={used.value}
          onChange={(event) => tick(event.currentTarget.checked)} />
        {said.used}
      </label>
      <button type="button" class="button quiet" data-testid="mute" aria-label={`${said.mute}: ${card.name}`}
        onClick={() => void mute(slug, card.name)}>
        <ShopIcon name="mute" />{said.mute}
      </button>
    </div>
  );
}

async function mute(slug: string, shop: string): Promise<void> {
  const set = (muted: boolean) => wish({ slug, muted });
  const failed = (error: unknown) => say(sentence(error));
  const undo = { label: words().common.undo, run: () => void set(false).catch(failed) };
  await set(true).then(() => say(PARTNERS[language.peek()].muted(shop), undo), failed);
}

/** Letters of double size make an offer taller than the screen. */
const PART = 0.25;
/** Read, most likely. */
const SEEN_MS = 1_000;

/** Notes an offer as seen once enough of it has been on the screen for a moment. */
function useSeen(item: { readonly current: HTMLElement | null }, { slug, offer }: Offered): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    sendSoon();
    const look = ([entry]: IntersectionObserverEntry[]) => {
      clearTimeout(timer);
      if (!entry?.isIntersecting) return;
      timer = setTimeout(() => void mark(slug, offer, 'seen').catch(() => undefined), SEEN_MS);
    };
    const observer = new IntersectionObserver(look, { threshold: PART });
    observer.observe(item.current!);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [slug, offer.id]);
}
