/**
 * Adding a card: a live camera, a photo, pictures shared from elsewhere, or typing; then a look at what was understood.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useLayoutEffect } from 'preact/hooks';
import '../styles/forms.css';
import '../styles/capture.css';
import { Camera } from '../capture/camera-view';
import { fromCamera, readFiles, typedOnly, type Capture, type Reading as OnItsWay } from '../capture/capture';
import { NotPicture, toSend } from '../capture/photo';
import { isShared, takeShared } from '../capture/shared';
import { captureWords } from '../capture/words';
import { FORMAT_NAMES } from '../codes/formats';
import { Icon } from '../icons';
import { words } from '../messages';
import { finish, overlay } from '../router';
import { useUnsaved } from '../unsaved';
import { ChooseCodes } from './choose-codes';
import { Confirm } from './confirm';
import { drawn, NO_PILE, pileOf, placeIn, rest, type Pile } from './pile';
import { Reading } from './reading';
import { Screen } from './screen';
import { SharedPictures } from './shared-pictures';
import { announce, say } from './toasts';
import { Ways } from './ways';

type Stage =
  | { readonly at: 'capture' }
  | { readonly at: 'sort'; readonly files: readonly Blob[] }
  | { readonly at: 'reading'; readonly reading: OnItsWay }
  | { readonly at: 'choose' | 'confirm'; readonly capture: Capture };

export function Add() {
  const { add } = words();
  const { stage, show, read, each, place, waiting, goOn, onKept } = useAdding();
  switch (stage.at) {
    case 'sort': return (
      <SharedPictures files={stage.files} onOneCard={() => read(...stage.files)} onEach={() => each(stage.files)} />
    );
    case 'reading': return <Reading reading={stage.reading} place={place} />;
    case 'choose': return <ChooseCodes capture={stage.capture} onChosen={(capture) => show(capture, 'confirm')} />;
    case 'confirm': return <Confirm capture={stage.capture} place={place} onKept={onKept} />;
    case 'capture': return (
      <Screen title={add.title}>
        <div class="narrow stack">
          {waiting > 0 && <Waiting n={waiting} onGoOn={goOn} />}
          <Camera onRead={(photo, codes) => show(fromCamera(photo, codes))}
            onShot={(photo) => void toSend(photo).then((file) => read(file))} />
          <Ways onFile={(file) => read(file)} onType={() => show(typedOnly())} />
        </div>
      </Screen>
    );
  }
}

/** The way from a picture to a card kept, and from there to the next of a pile. */
function useAdding() {
  const stage = useSignal<Stage>({ at: 'capture' });
  const pile = useSignal<Pile>(NO_PILE);
  const restart = () => {
    leave(stage.value);
    pile.value = stage.value.at === 'sort' ? pileOf(stage.value.files) : rest(pile.value);
    stage.value = { at: 'capture' };
  };
  const failed = (error: unknown) => {
    const place = placeIn(pile.value);
    say(place ? captureWords().nthFailed(place.n, place.all) : photoFault(error));
    if (place && pile.value.left.length) next();
    else restart();
  };
  const show: Show = (capture, at = capture.codes.length > 1 ? 'choose' : 'confirm') => {
    const [first] = capture.codes;
    if (first && stage.value.at !== 'choose') announce(words().add.found(FORMAT_NAMES[first.format], first.text));
    stage.value = { at, capture };
  };
  const read = (...files: readonly Blob[]) => void readInto(stage, files, show, failed);
  const next = () => {
    const { file, pile: left } = drawn(pile.value);
    pile.value = left;
    if (file) read(file);
  };
  const each = (files: readonly Blob[]) => {
    pile.value = pileOf(files);
    next();
  };
  /** Of two only the person knows whether they are one card. */
  const begin = (files: readonly Blob[]) => {
    pile.value = NO_PILE;
    if (files.length === 2) stage.value = { at: 'sort', files };
    else each(files);
  };
  useShared((files) => (files.length ? begin(files) : say(captureWords().nothingShared)));
  // Shared pictures come once only; the last stage asks for itself.
  useUnsaved(pile.value.left.length > 0 || !['capture', 'confirm'].includes(stage.value.at));
  useEffect(() => () => leave(stage.peek()), []);
  useStep(stage.value.at !== 'capture', restart);
  const waiting = pile.value.left.length;
  /** The next of those begun, or those that wait untouched. */
  const goOn = () => (placeIn(pile.value) ? next() : begin(pile.value.left));
  const onKept = (id: string) => (pile.value.left.length ? goOn() : finish(`/c/${id}`));
  const at = placeIn(pile.value);
  const place = at && { ...at, onSkip: waiting ? next : undefined };
  return { stage: stage.value, show, read, each, place, waiting, goOn, onKept };
}

/** Lets go of what is still being read for a stage. */
function leave(stage: Stage): void {
  if (stage.at === 'reading') stage.reading.leave();
  if (stage.at === 'choose' || stage.at === 'confirm') stage.capture.inquiry?.leave();
}

type Show = (capture: Capture, at?: 'choose' | 'confirm') => void;

async function readInto(
  stage: Signal<Stage>, files: readonly Blob[], show: Show, failed: (error: unknown) => void,
): Promise<void> {
  leave(stage.value);
  const reading = readFiles(files);
  // Left meanwhile, or another photo chosen: this one's answer is not wanted any more.
  const wanted = () => stage.value.at === 'reading' && stage.value.reading === reading;
  stage.value = { at: 'reading', reading };
  try {
    const capture = await reading.capture;
    if (wanted()) show(capture);
  } catch (error) {
    if (wanted()) failed(error);
  }
}

function photoFault(error: unknown): string {
  return error instanceof NotPicture ? words().add.notPicture : words().unknownProblem('photo');
}

/** Photos of a pile whose turn was interrupted. */
function Waiting({ n, onGoOn }: { readonly n: number; readonly onGoOn: () => void }) {
  const said = captureWords();
  return (
    <div class="notice note-box" role="status" data-testid="pile">
      <Icon name="camera" />
      <div>
        <p>{said.waiting(n)}</p>
        <button type="button" class="link" data-testid="go-on" onClick={onGoOn}>{said.goOn}</button>
      </div>
    </div>
  );
}

/** Pictures that were shared into this page are taken once: a reload does not bring them again. */
function useShared(begin: (files: readonly Blob[]) => void): void {
  useEffect(() => {
    if (!isShared(location.search)) return;
    history.replaceState(history.state, '', location.pathname);
    takeShared().then(begin, () => begin([]));
  }, []);
}

/** A later stage is a step of its own: Back leads to the camera again, not out of the screen. */
function useStep(active: boolean, close: () => void): void {
  // Before the effects of the stage itself: its guard lies over this step.
  useLayoutEffect(() => (active ? overlay(close) : undefined), [active]);
}
