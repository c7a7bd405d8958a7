/** While photos are read: the photos, who is reading them and how far, and a way on for who does not want to wait. */
import type { Asked } from '../capture/asking';
import type { Reading as OnItsWay } from '../capture/capture';
import { captureWords } from '../capture/words';
import { Offline } from '../api';
import { words } from '../messages';
import { Nth, type Place } from './nth';
import { Screen } from './screen';
import { Steps } from './steps';
import { useUrl } from './url';

interface ReadingProps {
  readonly reading: OnItsWay;
  readonly place?: Place | undefined;
}

export function Reading({ reading, place }: ReadingProps) {
  const { add } = words();
  const asked = reading.inquiry.now.value;
  return (
    <Screen title={add.title} foot={
      <button type="button" class="button wide" data-testid="proceed" onClick={reading.proceed}>
        {captureWords().proceed}
      </button>
    }>
      <div class="narrow stack">
        {place && <Nth place={place} />}
        <div class="reading" data-several={reading.shown.length > 1 || undefined}>
          {reading.shown.map((file, place) => <Shown key={place} file={file} />)}
        </div>
        <p role="status">{sentence(asked, reading.looked.value)}</p>
        {asked.state !== 'failed' && <Steps asked={asked} told />}
      </div>
    </Screen>
  );
}

function sentence(asked: Asked, looked: boolean): string {
  const { add } = words();
  const { readingOffline, readingHere, serverWaits } = captureWords();
  if (asked.state === 'failed') return asked.error instanceof Offline ? readingOffline : readingHere;
  if (asked.state === 'asking' && asked.waitS !== undefined) return serverWaits(asked.waitS);
  return looked ? add.asking : add.reading;
}

function Shown({ file }: { readonly file: Blob }) {
  const url = useUrl(file);
  // A kind of picture that only the server can decode is not shown.
  return url
    ? <img src={url} alt={words().confirm.photoShown} onError={(event) => (event.currentTarget.hidden = true)} />
    : null;
}
