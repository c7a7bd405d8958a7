/** What a shop says of a balance beside the sum itself: tier, what is on its way and what expires, and how old it is. */
import { amount } from '../messages';
import { PARTNERS } from '../messages/partners';
import { moment, nearDay } from '../messages/when';
import { daysUntil, SOON_DAYS } from '../ends';
import type { Live } from '../model';
import { textIn } from '../texts';
import { language } from '../wallet';

export function LiveDetails({ live: { balance, unit } }: { readonly live: Live }) {
  const said = PARTNERS[language.value];
  if (!balance) return <p class="soft small centred" data-testid="no-balance">{said.noBalance}</p>;
  const { tier, pending, expiring = [], as_of } = balance;
  const about = [tier && said.tier(textIn(language.value, tier.name)), said.updated(moment(language.value, as_of))];
  const going = expiring.filter(({ on }) => daysUntil(on) >= 0);
  return (
    <div class="live-details centred small">
      <p class="soft" data-testid="live-age">{about.filter(Boolean).join(' · ')}</p>
      {!!pending && <p>{said.pending(amount(unit, pending))}</p>}
      {going.map(({ amount: points, on }) => (
        <p key={on} class={daysUntil(on) <= SOON_DAYS ? 'live-soon' : ''}>
          {said.expires(amount(unit, points), points, nearDay(language.value, on, said.on))}
        </p>
      ))}
    </div>
  );
}
