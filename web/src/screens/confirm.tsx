/**
 * What Karman believes of a new card, how sure it is and why, and everything the person can put right before keeping
 * it.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bare, keyOf, type Capture } from '../capture/capture';
import { frontOf, type Face } from '../capture/face';
import { captureWords } from '../capture/words';
import { clean, codeText, typedCode } from '../codes/typed';
import { wrong } from '../codes/formats';
import { payload } from '../codes/bytes';
import { sentence, words } from '../messages';
import type { CardFields, Code, Draft, Format } from '../model';
import { cards, keep } from '../wallet';
import { Believed } from './believed';
import { ChosenCodes, useCapture } from './capture-state';
import { Duplicate } from './duplicate';
import { focusFault } from './focus-fault';
import { useAsking } from './guard';
import { Nth, type Place } from './nth';
import { NumberField } from './number-field';
import { PhotoChoice, picturesOf, type SidesShown } from './photo-choice';
import { sameCard } from './same-card';
import { Screen } from './screen';
import { ShopBox, type Shop } from './shop-box';
import { say } from './toasts';
import { TypedCode } from './typed-code';

/** What the form holds; `format` is undefined while Karman guesses, null where the person wants no code. */
export interface NewCard {
  readonly shop: Shop;
  readonly number: string;
  /** The code as read; absent where it is typed. */
  readonly read?: Code | undefined;
  /** Keys of other codes found that stay with the card. */
  readonly also: ReadonlySet<string>;
  /** What the typed code holds where that is not the number. */
  readonly typed?: string | undefined;
  readonly format?: Format | null | undefined;
  readonly photo: boolean;
  /** Which photo is the front, where the person said so. */
  readonly front?: number | undefined;
  /** Photos are shown as they were taken, not only the card cut out of them. */
  readonly whole: boolean;
}

export type Change = (next: Partial<NewCard>) => void;

interface ConfirmProps {
  readonly capture: Capture;
  readonly place?: Place | undefined;
  readonly onKept: (id: string) => void;
}

export function Confirm({ capture: first, place, onKept }: ConfirmProps) {
  const { confirm } = words();
  const [card, setCard] = useState<NewCard>(() => blank(first));
  const change: Change = (next) => setCard((now) => ({ ...now, ...next }));
  const { capture, draft, face, adding, addPhoto, removePhoto } = useCapture(first, (code) => setCard(readLate(code)));
  useBelieved(draft, setCard);
  const code = useMemo(() => codeOf(card), [card.read, card.typed, card.number, card.format]);
  const sides = sidesOf(capture, card, draft, face);
  const filled = { card, code, capture, sides, seen: draft?.number?.text };
  const { form, faults, doubt, keeping, submit } = useKeeping(filled, onKept);
  const { asking, ask } = useAsking(isWorthKeeping(card, capture), {
    title: confirm.titleTyped, text: confirm.unsaved, leave: confirm.leave, fallback: '/',
  });
  const twin = sameCard(cards.value, clean(card.shop.name), clean(card.number), code);
  return (
    <Screen title={capture.source === 'typed' ? confirm.titleTyped : confirm.title} foot={
      <button type="submit" form="confirm" class="button main" data-testid="keep" disabled={keeping}>
        {keeping ? confirm.keeping : confirm.keep}
      </button>
    }>
      <form id="confirm" class="narrow stack" ref={form} noValidate onSubmit={(event) => void submit(event)}>
        {place && <Nth place={{ ...place, onSkip: place.onSkip && (() => ask(place.onSkip!)) }} busy={keeping} />}
        {twin && <Duplicate card={twin} />}
        <Believed capture={capture} card={card} draft={draft} onChange={change} onAdd={addPhoto} />
        <ChosenCodes capture={capture} card={card} onChange={change} />
        <ShopBox label={confirm.shop} shop={card.shop} onChange={(shop) => change({ shop })} fault={faults.shop} />
        <NumberField card={card} capture={capture} draft={draft} onChange={change}
          said={doubt && sentenceOf(doubt)} />
        {!card.read && <TypedCode card={card} code={code} fault={faults.code} onChange={change} />}
        {capture.source !== 'typed' && (
          <PhotoChoice sides={sides} kept={card.photo} adding={adding} onKept={(photo) => change({ photo })}
            onWhole={(whole) => change({ whole })} onFront={(front) => change({ front })} onAdd={addPhoto}
            onRemove={() => {
              setCard(withoutPhoto(capture));
              removePhoto();
            }} />
        )}
      </form>
      {asking}
    </Screen>
  );
}

/** All that makes a card. */
interface Filled {
  readonly card: NewCard;
  readonly code: Code | undefined;
  readonly capture: Capture;
  readonly sides: SidesShown;
  /** A number that was read, though not surely, and is only offered. */
  readonly seen: string | undefined;
}

/** What a person in a hurry may not have seen: the card holds nothing for a till, or its number is only offered. */
type Doubt = 'bare' | 'number';

/** Keeps the card once nothing speaks against it; a `doubt` is said once. */
function useKeeping(filled: Filled, onKept: (id: string) => void) {
  const tried = useSignal(false);
  const warned = useSignal<Doubt | undefined>(undefined);
  const keeping = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const { card, code } = filled;
  const doubt = doubtOf(filled);
  const submit = async (event: Event) => {
    event.preventDefault();
    tried.value = true;
    const found = faultsOf(card, code);
    if (found.shop ?? found.code) return focusFault(form.current!);
    if (doubt && warned.value !== doubt) return warn(form.current!, (warned.value = doubt));
    keeping.value = true;
    await keepCard(filled).then(onKept, (error: unknown) => say(sentence(error)));
    keeping.value = false;
  };
  const faults = tried.value ? faultsOf(card, code) : {};
  return { form, faults, doubt: warned.value === doubt ? doubt : undefined, keeping: keeping.value, submit };
}

function blank({ codes }: Capture): NewCard {
  const also = new Set(codes.slice(1).map(keyOf));
  return { shop: { name: '' }, number: '', read: bare(codes[0]), also, photo: true, whole: false };
}

/** A code that was found after the form had opened, unless the person has typed one. */
function readLate(code: Code): (now: NewCard) => NewCard {
  return (now) => {
    const isTyped = now.typed !== undefined || now.format !== undefined;
    return now.read || isTyped ? now : { ...now, read: bare(code) };
  };
}

/** The card without the last photo, and without the code where that was in it. */
function withoutPhoto({ codes, photos }: Capture): (now: NewCard) => NewCard {
  const gone = codes.filter(({ photo = 0 }) => photo === photos.length - 1).map(keyOf);
  const isGone = (code: Code): boolean => gone.includes(keyOf(code));
  return (now) => ({ ...now, front: undefined, read: now.read && !isGone(now.read) ? now.read : undefined });
}

function sidesOf(
  { photos }: Capture, { front, whole }: NewCard, draft: Draft | undefined, face: Face | undefined,
): SidesShown {
  return { photos, face, front: front ?? frontOf(draft, photos), whole };
}

/** Such a card is kept all the same, once the doubt was said. */
function doubtOf({ card, code, seen, sides: { face, photos } }: Filled): Doubt | undefined {
  if (code || clean(card.number)) return undefined;
  if (seen) return 'number';
  const shown = face ?? photos.find((photo) => photo !== undefined);
  return card.photo && shown ? undefined : 'bare';
}

function sentenceOf(doubt: Doubt): string {
  return doubt === 'bare' ? words().confirm.bare : captureWords().numberWaits;
}

function warn(form: HTMLElement, doubt: Doubt): void {
  form.querySelector<HTMLElement>(doubt === 'bare' ? '#number' : '#number-seen')?.focus();
}

/** Whether leaving would lose something. A photo nothing was read from is not: one is about to take another. */
function isWorthKeeping(card: NewCard, { codes }: Capture): boolean {
  const shop = card.shop.believed ? '' : card.shop.name;
  return codes.length > 0 || [shop, card.number, card.typed].some((text) => text?.trim());
}

/** Fills in a shop the server is certain of, unless the person has been quicker. */
function useBelieved(draft: Draft | undefined, setCard: StateUpdater): void {
  useEffect(() => {
    const certain = draft?.verdict === 'accept' ? draft.merchants[0] : undefined;
    if (!certain) return;
    const shop = { name: certain.name, merchant: certain.slug, believed: true };
    setCard((now) => (now.shop.name ? now : { ...now, shop }));
  }, [draft]);
}

type StateUpdater = (update: (now: NewCard) => NewCard) => void;

function codeOf(card: NewCard): Code | undefined {
  if (card.read) return card.read;
  if (card.format === null) return undefined;
  return typedCode(card.typed === undefined ? codeText(clean(card.number)) : clean(card.typed), card.format);
}

function faultsOf(card: NewCard, code: Code | undefined): { shop?: string; code?: string } {
  const { confirm, misfit } = words();
  const bad = code && !card.read ? wrong(code.format, payload(code)) : undefined;
  return { ...(!clean(card.shop.name) && { shop: confirm.shopEmpty }), ...(bad && { code: misfit[bad] }) };
}

async function keepCard({ card, code, capture, sides }: Filled): Promise<string> {
  const id = await keep(fieldsOf(card, code, capture), card.photo ? await picturesOf(sides) : {});
  say(words().confirm.kept);
  return id;
}

/** A card carries at most so many codes. */
const MOST_CODES = 8;

function fieldsOf(card: NewCard, code: Code | undefined, capture: Capture): CardFields {
  const number = clean(card.number);
  const others = capture.codes.filter((one) => card.also.has(keyOf(one)) && !(code && keyOf(one) === keyOf(code)));
  const codes = [...(code ? [code] : []), ...others.map((one) => bare(one)!)].slice(0, MOST_CODES);
  return {
    name: clean(card.shop.name),
    ...(card.shop.merchant && { merchant: card.shop.merchant }),
    ...(number && { number }),
    ...(codes.length && { codes }),
  };
}
