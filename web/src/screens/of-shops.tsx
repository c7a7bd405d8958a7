/** The screens about what shops send, fetched together: whoever sees one soon sees the others. */
import { CardBack } from './card-back';
import { Connect } from './connect';
import { Connected } from './connected';
import { Offers } from './offers';

export function OfShops({ which, id = '' }: { readonly which: string; readonly id?: string }) {
  switch (which) {
    case 'back': return <CardBack id={id} />;
    case 'connect': return <Connect id={id} />;
    case '/connected': return <Connected />;
    default: return <Offers />;
  }
}
