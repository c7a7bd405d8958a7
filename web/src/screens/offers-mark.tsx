/** The way to the offers from the wallet: a small count that asks for nothing. */
import { PARTNERS } from '../messages/partners';
import { nextChange, offersOn } from '../offers';
import { cards, language, wishes } from '../wallet';
import { ShopIcon } from '../icons-shops';
import { useNow } from './now';

export function OffersMark() {
  const now = useNow((at) => nextChange(cards.value, at));
  const count = offersOn(cards.value, wishes.value.muted, now).length;
  if (!count) return null;
  const said = PARTNERS[language.value].offersCount(count);
  return (
    <a class="round offers-mark numbers" href="/offers" data-testid="offers" aria-label={said} title={said}>
      <ShopIcon name="tag" /><span aria-hidden="true">{count}</span>
    </a>
  );
}
