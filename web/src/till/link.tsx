/** A quiet offer under a card whose shop was typed in: the device's list may know that shop by now. */
import { useEffect, useState } from 'preact/hooks';
import { sentence, words } from '../messages';
import type { Card, Merchant } from '../model';
import { tell, wasTold } from '../screens/told';
import { say } from '../screens/toasts';
import { set } from '../wallet';

export function LinkOffer({ card }: { readonly card: Card }) {
  const { till } = words();
  const asked = `link:${card.id}`;
  const shop = useNamesake(card, wasTold(asked));
  // One thing at a time: a word about brightness has the right of way.
  if (!shop || (card.codes.length && !wasTold('brightness'))) return null;
  return (
    <div class="till-hint wide" data-testid="link-offer">
      <p class="small">{till.isIt(shop.name)}</p>
      <button type="button" class="button quiet" data-testid="link" onClick={() => void link(card, shop)}>
        {till.link}
      </button>
      <button type="button" class="button quiet" onClick={() => tell(asked)}>{till.no}</button>
    </div>
  );
}

/** The only shop of this very name, where the card has none yet and the person has not said no. */
function useNamesake({ name, merchant }: Card, refused: boolean): Merchant | undefined {
  const [shop, setShop] = useState<Merchant | undefined>(undefined);
  const wanted = merchant || refused ? undefined : name;
  useEffect(() => {
    let current = true;
    setShop(undefined);
    if (wanted) void named(wanted).then((found) => current && setShop(found), () => undefined);
    return () => void (current = false);
  }, [wanted]);
  return wanted ? shop : undefined;
}

async function named(name: string): Promise<Merchant | undefined> {
  const { knownShops } = await import('../shops');
  return (await knownShops()).named(name);
}

/** The name stays as it was typed; taking the shop's own is one more tap. */
async function link(card: Card, { slug, name }: Merchant): Promise<void> {
  const { till } = words();
  const complain = (error: unknown) => say(sentence(error));
  const rename = () => void set(card.id, { name }).catch(complain);
  const done = () => say(till.linked, card.name === name ? undefined : { label: till.rename(name), run: rename });
  await set(card.id, { merchant: slug }).then(done, complain);
}
