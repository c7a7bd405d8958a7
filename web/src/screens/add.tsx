/** Adding a card: a live camera, a photo or typing; then a look at what was understood. */
import { useSignal, type Signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import '../styles/forms.css';
import { FORMAT_NAMES } from '../codes/formats';
import { words } from '../messages';
import { overlay } from '../router';
import { Camera } from '../capture/camera-view';
import { NotPicture } from '../capture/photo';
import { fromCamera, fromFile, typedOnly, type Capture } from '../capture/capture';
import { ChooseCodes } from './choose-codes';
import { Confirm } from './confirm';
import { Reading } from './reading';
import { Screen } from './screen';
import { announce, say } from './toasts';
import { Ways } from './ways';

type Stage =
  | { readonly at: 'capture' }
  | { readonly at: 'reading'; readonly file: Blob; readonly asking: boolean }
  | { readonly at: 'choose' | 'confirm'; readonly capture: Capture };

export function Add() {
  const { add } = words();
  const stage = useSignal<Stage>({ at: 'capture' });
  const restart = () => (stage.value = { at: 'capture' });
  const show = (capture: Capture) => {
    const [first] = capture.codes;
    if (first) announce(add.found(FORMAT_NAMES[first.format], first.text));
    stage.value = { at: capture.codes.length > 1 ? 'choose' : 'confirm', capture };
  };
  const confirm = (capture: Capture) => (stage.value = { at: 'confirm', capture });
  const take = (file: File) => void readFile(file, stage, show, restart);
  useStep(stage.value.at !== 'capture', restart);
  switch (stage.value.at) {
    case 'reading': return <Reading file={stage.value.file} asking={stage.value.asking} />;
    case 'choose': return <ChooseCodes capture={stage.value.capture} onChosen={confirm} />;
    case 'confirm': return <Confirm capture={stage.value.capture} />;
    case 'capture': return (
      <Screen title={add.title}>
        <div class="narrow stack">
          <Camera onRead={(photo, codes) => show(fromCamera(photo, codes))} />
          <Ways onFile={take} onType={() => show(typedOnly())} />
        </div>
      </Screen>
    );
  }
}

type Show = (capture: Capture) => void;

async function readFile(file: File, stage: Signal<Stage>, show: Show, restart: () => void): Promise<void> {
  const mine = (asking: boolean): Stage => ({ at: 'reading', file, asking });
  // Left meanwhile, or another photo chosen: this one's answer is not wanted any more.
  const wanted = () => stage.value.at === 'reading' && stage.value.file === file;
  stage.value = mine(false);
  try {
    const capture = await fromFile(file, () => void (wanted() && (stage.value = mine(true))));
    if (wanted()) show(capture);
  } catch (error) {
    if (!wanted()) return;
    restart();
    say(error instanceof NotPicture ? words().add.notPicture : words().unknownProblem('photo'));
  }
}

/** A later stage is a step of its own: Back leads to the camera again, not out of the screen. */
function useStep(active: boolean, close: () => void): void {
  // Before the effects of the stage itself: its guard lies over this step.
  useLayoutEffect(() => (active ? overlay(close) : undefined), [active]);
}
