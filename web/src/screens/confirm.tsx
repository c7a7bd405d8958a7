/**
 * What Karman believes of a new card, how sure it is and why, and everything the person can put right before keeping
 * it.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Asked, Capture } from '../capture/capture';
import { toKeep } from '../capture/photo';
import { clean, codeText, typedCode } from '../codes/typed';
import { wrong } from '../codes/formats';
import { payload } from '../codes/bytes';
import { sentence, words } from '../messages';
import type { CardFields, Code, Draft, Format } from '../model';
import { finish } from '../router';
import { cards, keep } from '../wallet';
import { Believed } from './believed';
import { Duplicate } from './duplicate';
import { focusFault } from './focus-fault';
import { useGuard } from './guard';
import { NumberField } from './number-field';
import { PhotoChoice } from './photo-choice';
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
  /** What the typed code holds where that is not the number. */
  readonly typed?: string | undefined;
  readonly format?: Format | null | undefined;
  readonly photo: boolean;
}

export type Change = (next: Partial<NewCard>) => void;

export function Confirm({ capture }: { readonly capture: Capture }) {
  const { confirm } = words();
  const [card, setCard] = useState<NewCard>(() => blank(capture));
  const tried = useSignal(false);
  const warned = useSignal(false);
  const keeping = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const change: Change = (next) => setCard((now) => ({ ...now, ...next }));
  const draft = useDraft(capture.asked);
  useBelieved(draft, setCard);
  const code = useMemo(() => codeOf(card), [card.read, card.typed, card.number, card.format]);
  const faults = tried.value ? faultsOf(card, code) : {};
  const empty = isEmpty(card, code, capture);
  const asking = useGuard(isWorthKeeping(card, capture), {
    title: confirm.titleTyped, text: confirm.unsaved, leave: confirm.leave, fallback: '/',
  });
  const twin = sameCard(cards.value, clean(card.shop.name), clean(card.number), code);
  const submit = async (event: Event) => {
    event.preventDefault();
    tried.value = true;
    const found = faultsOf(card, code);
    if (found.shop ?? found.code) return focusFault(form.current!);
    if (empty && !warned.value) return warn(form.current!, warned);
    keeping.value = true;
    await keepCard(card, code, capture).catch((error: unknown) => say(sentence(error)));
    keeping.value = false;
  };
  return (
    <Screen title={capture.source === 'typed' ? confirm.titleTyped : confirm.title} foot={
      <button type="submit" form="confirm" class="button main" data-testid="keep" disabled={keeping.value}>
        {keeping.value ? confirm.keeping : confirm.keep}
      </button>
    }>
      <form id="confirm" class="narrow stack" ref={form} noValidate onSubmit={(event) => void submit(event)}>
        {twin && <Duplicate card={twin} />}
        <Believed capture={capture} card={card} draft={draft} onChange={change} />
        <ShopBox label={confirm.shop} shop={card.shop} onChange={(shop) => change({ shop })} fault={faults.shop} />
        <NumberField card={card} capture={capture} draft={draft} onChange={change}
          said={empty && warned.value ? confirm.bare : undefined} />
        {!card.read && <TypedCode card={card} code={code} fault={faults.code} onChange={change} />}
        {capture.photo && (
          <PhotoChoice photo={capture.photo} kept={card.photo} onChange={(photo) => change({ photo })} />
        )}
      </form>
      {asking}
    </Screen>
  );
}

function blank(capture: Capture): NewCard {
  return { shop: { name: '' }, number: '', read: bare(capture.codes[0]), photo: true };
}

/** Whether there is nothing a till could use; such a card is kept all the same, once that was said. */
function isEmpty(card: NewCard, code: Code | undefined, capture: Capture): boolean {
  return !code && !clean(card.number) && !(card.photo && capture.photo);
}

function warn(form: HTMLElement, warned: Signal<boolean>): void {
  warned.value = true;
  form.querySelector<HTMLElement>('#number')?.focus();
}

/** Whether leaving would lose something. A photo nothing was read from is not: one is about to take another. */
function isWorthKeeping(card: NewCard, { codes }: Capture): boolean {
  const shop = card.shop.believed ? '' : card.shop.name;
  return codes.length > 0 || [shop, card.number, card.typed].some((text) => text?.trim());
}

/** The draft once the server has answered. */
function useDraft(asked: Signal<Asked> | undefined): Draft | undefined {
  const now = asked?.value;
  return now?.state === 'answered' ? now.draft : undefined;
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

/** A reading as it is kept: without how sure the reader was and where the code lay. */
function bare(code: Code | undefined): Code | undefined {
  if (!code) return undefined;
  const { format, text, raw, encoding, gs1 } = code;
  return { format, text, raw, ...(encoding && { encoding }), ...(gs1 && { gs1 }) };
}

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

async function keepCard(card: NewCard, code: Code | undefined, capture: Capture): Promise<void> {
  const front = card.photo && capture.photo ? await toKeep(capture.photo) : undefined;
  const id = await keep(fieldsOf(card, code, capture), front ? { front } : {});
  say(words().confirm.kept);
  finish(`/c/${id}`);
}

function fieldsOf(card: NewCard, code: Code | undefined, capture: Capture): CardFields {
  const number = clean(card.number);
  const others = capture.codes.slice(1).map((one) => bare(one)!);
  const codes = [...(code ? [code] : []), ...others];
  return {
    name: clean(card.shop.name),
    ...(card.shop.merchant && { merchant: card.shop.merchant }),
    ...(number && { number }),
    ...(codes.length && { codes }),
  };
}
