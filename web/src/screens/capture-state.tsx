/** What was captured of a card, as it grows while the form is open: late codes, a photo of the other side. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Asked } from '../capture/asking';
import {
  bare, codesOf, fromServer, keyOf, onceEach, showing, withoutLast, withPhoto, type Capture, type FoundCode,
} from '../capture/capture';
import { faceOf, frontOf, type Face } from '../capture/face';
import { load, type Photo } from '../capture/photo';
import { captureWords } from '../capture/words';
import { FORMAT_NAMES } from '../codes/formats';
import { words } from '../messages';
import type { Draft } from '../model';
import { CodeChoice } from './choose-codes';
import type { Change, NewCard } from './confirm';
import { announce, say } from './toasts';

interface Captured {
  readonly capture: Capture;
  /** What the server has said so far. */
  readonly draft: Draft | undefined;
  readonly face: Face | undefined;
  /** Another photo is being opened. */
  readonly adding: boolean;
  readonly addPhoto: (file: File) => void;
  readonly removePhoto: () => void;
}

/** `onCode` hears of the likeliest of the codes that are found later. */
export function useCapture(first: Capture, onCode: (code: FoundCode) => void): Captured {
  const [capture, setCapture] = useState(first);
  const [adding, setAdding] = useState(false);
  const now = useRef(capture);
  const stop = useRef(new AbortController());
  now.current = capture;
  const asked = capture.inquiry?.now.value;
  const draft = useDraft(asked);
  const addCodes = (found: readonly FoundCode[]) => {
    const fresh = unknownOf(found, now.current);
    if (!fresh[0]) return;
    setCapture((before) => showing({ ...before, codes: onceEach([...before.codes, ...fresh]) }));
    announce(words().add.found(FORMAT_NAMES[fresh[0].format], fresh[0].text));
    onCode(fresh[0]);
  };
  const addPhoto = async (file: File) => {
    setAdding(true);
    const photo = await load(file).catch(() => undefined);
    setAdding(false);
    if (stop.current.signal.aborted) return;
    if (!photo) return say(words().add.notPicture);
    const place = now.current.photos.length;
    setCapture(withPhoto(now.current, photo));
    addCodes(await codesOf(photo, place, stop.current.signal));
  };
  useEffect(() => () => stop.current.abort(), []);
  useEffect(() => () => capture.inquiry?.leave(), [capture.inquiry]);
  useServerCodes(capture, asked, addCodes);
  return {
    capture, draft, face: useFace(capture, draft), adding, addPhoto: (file) => void addPhoto(file),
    removePhoto: () => setCapture(withoutLast(now.current)),
  };
}

function unknownOf(found: readonly FoundCode[], { codes }: Capture): readonly FoundCode[] {
  const known = new Set(codes.map(keyOf));
  return onceEach(found).filter((code) => !known.has(keyOf(code)));
}

/** Where the device has read the only photo, its word stands; else what the server finds later is put in too. */
function useServerCodes(
  capture: Capture, asked: Asked | undefined, addCodes: (found: readonly FoundCode[]) => void,
): void {
  const codes = asked?.known.codes;
  useEffect(() => {
    const isWanted = !capture.codes.length || capture.photos.length > 1;
    if (codes && isWanted) addCodes(fromServer(codes, capture.photos));
  }, [codes]);
}

/** What the server says; while it looks at one more photo, what it said of the others. */
function useDraft(asked: Asked | undefined): Draft | undefined {
  const before = useRef<Draft | undefined>(undefined);
  return useMemo(() => {
    const now = asked && draftOf(asked);
    const isWhole = now?.verdict !== undefined || asked?.state !== 'asking';
    if (now && isWhole) before.current = now;
    return before.current ?? now;
  }, [asked]);
}

/** What is known while the server is still reading, or has broken off, is as good as the whole. */
function draftOf({ known, ...asked }: Asked): Draft | undefined {
  if ('draft' in asked) return asked.draft;
  return known.done.length ? { codes: [], merchants: [], ...known } : undefined;
}

/** The straightened card stays while its photo does, until a new answer brings another. */
function useFace({ photos }: Capture, draft: Draft | undefined): Face | undefined {
  const [cut, setCut] = useState<{ readonly picture: Blob; readonly of: Photo | undefined }>();
  const face = draft?.face;
  useEffect(() => {
    if (!face) return undefined;
    let wanted = true;
    const of = photos[frontOf(draft, photos)];
    // A photo whose card was not found is shown as it is.
    const show = (picture: Blob | undefined) => wanted && setCut(picture && { picture, of });
    faceOf(draft, photos).then(show, () => show(undefined));
    return () => {
      wanted = false;
    };
  }, [face]);
  const place = cut ? photos.indexOf(cut.of) : -1;
  return useMemo(() => (cut && place >= 0 ? { picture: cut.picture, place } : undefined), [cut, place]);
}

interface ChosenProps { readonly capture: Capture; readonly card: NewCard; readonly onChange: Change }

/** Which of several codes is shown at the till, and which stay; open where there are more than were chosen from. */
export function ChosenCodes({ capture, card, onChange }: ChosenProps) {
  const { add } = words();
  const chosenFrom = useRef(capture.codes.length);
  if (capture.codes.length < 2) return null;
  return (
    <details data-testid="several-codes" open={capture.codes.length > chosenFrom.current}>
      <summary>{captureWords().codesFound(capture.codes.length)}</summary>
      <div class="stack">
        <p class="small soft">{add.several}</p>
        <CodeChoice capture={capture} chosen={card.read && keyOf(card.read)} also={card.also}
          onChosen={(code) => onChange({ read: bare(code), typed: undefined, format: undefined })}
          onAlso={(also) => onChange({ also })} />
      </div>
    </details>
  );
}
