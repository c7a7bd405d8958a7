/** Tells that somebody else has connected the same number, until the person has said that it is all right. */
import { Icon } from '../icons';
import { PARTNERS } from '../messages/partners';
import type { Card } from '../model';
import { language } from '../wallet';
import { tell, wasTold } from './told';

export function LinkAlert({ card: { id, live } }: { readonly card: Card }) {
  const said = PARTNERS[language.value];
  const asked = `linked:${id}:${live?.alert?.at}`;
  if (!live?.alert || wasTold(asked)) return null;
  return (
    <div class="note-box" role="status" data-testid="link-alert">
      <Icon name="alert" />
      <div>
        <p>{said.alert}</p>
        <p class="small soft">{said.alertMore}</p>
        <button type="button" class="link" onClick={() => tell(asked)}>{said.alertFine}</button>
      </div>
    </div>
  );
}
