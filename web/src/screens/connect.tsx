/** Connecting a card to its shop: what the shop learns and who sees what it sends, then proof that the card is one's own. */
import '../styles/forms.css';
import '../styles/partners.css';
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { ApiProblem, Offline } from '../api';
import { Icon } from '../icons';
import { askForCode, connect, enterCode, forgetAttempt, plainCode, waitingAttempt, type Attempt } from '../links';
import { amount, sentence, words } from '../messages';
import { PARTNERS } from '../messages/partners';
import type { Card, Policy } from '../model';
import type { Programme } from '../programmes';
import { leave } from '../router';
import { textIn } from '../texts';
import { useProgramme } from '../till/live';
import { account, cards, households, language, mayEdit } from '../wallet';
import { CodeForm } from './code-form';
import { LiveDetails } from './live-details';
import { OutOfReach } from './out-of-reach';
import { Screen } from './screen';

export function Connect({ id }: { readonly id: string }) {
  const said = PARTNERS[language.value];
  const card = cards.value.find((one) => one.id === id);
  if (!card) {
    return <Screen title={words().till.gone}><a class="button" href="/">{words().app.toWallet}</a></Screen>;
  }
  return (
    <Screen title={said.connectTitle}>
      <div class="narrow stack">
        {card.live ? <Done card={card} /> : <Asking card={card} />}
      </div>
    </Screen>
  );
}

/** What is shown: the consent, a code to be typed, or nothing more to do. */
type Step = { readonly at: 'consent' | 'till' | 'done' } | { readonly at: 'sent'; readonly attempt: Attempt };

function Asking({ card }: { readonly card: Card }) {
  const said = PARTNERS[language.value];
  const programme = useProgramme(card);
  const waiting = waitingAttempt(card);
  const step = useSignal<Step>(waiting ? { at: 'sent', attempt: waiting } : { at: 'consent' });
  const to = (next: Step) => void (step.value = next);
  if (!account.value) {
    return <><p>{said.needsAccount}</p><a class="button main" href="/account">{said.toAccount}</a></>;
  }
  if (!mayEdit(card)) return <p>{said.problems['view-only']}</p>;
  if (programme === undefined) return null;
  if (programme === 'unreachable') return <OutOfReach />;
  if (!programme) return <p class="soft" role="status">{said.noProgramme}</p>;
  switch (step.value.at) {
    case 'consent': return <Consent card={card} programme={programme} onStep={to} />;
    case 'sent': return <Sent card={card} programme={programme} attempt={step.value.attempt} onStep={to} />;
    case 'till': return <FromTill card={card} onStep={to} />;
    case 'done': return <Done card={card} />;
  }
}

interface StepProps {
  readonly card: Card;
  readonly programme: Programme;
  readonly onStep: (next: Step) => void;
}

function Consent({ card, programme, onStep }: StepProps) {
  const said = PARTNERS[language.value];
  const policy = useSignal<Policy>(programme.policies[0] ?? 'challenge');
  const doing = useDoing();
  const go = () => doing.run(async () => {
    if (policy.value === 'code') return onStep({ at: 'till' });
    if (policy.value === 'challenge') return onStep({ at: 'sent', attempt: await askForCode(card) });
    await connect(card, 'open');
    onStep({ at: 'done' });
  });
  return (
    <>
      <p class="join-lead">{said.lead(textIn(language.value, programme.name))}</p>
      <section class="stack consent" data-testid="consent">
        <h2>{said.learns}</h2>
        <ul>
          <li><Icon name="check" />{said.learnsNumber}</li>
          <li><Icon name="check" />{said.learnsLink}</li>
          <li><Icon name="check" />{said.learnsCounts}</li>
          <li><Icon name="close" />{said.learnsNot}</li>
        </ul>
        <h2>{said.sees}</h2>
        <p>{seenBy(card)}</p>
      </section>
      <Ways policies={programme.policies} chosen={policy.value} onChoose={(one) => (policy.value = one)} />
      <Fault text={doing.fault} />
      <button type="button" class="button main" data-testid="connect-yes" disabled={doing.working} onClick={() => void go()}>
        {doing.working ? said.working : said.connect}
      </button>
      <button type="button" class="button quiet wide" onClick={() => leave(`/c/${card.id}`)}>{said.notNow}</button>
    </>
  );
}

function seenBy({ space }: Card): string {
  const said = PARTNERS[language.value];
  const household = households.value.find(({ id }) => id === space);
  return household ? said.everybody(household.members.map(({ name }) => name).join(', ')) : said.onlyYou;
}

interface WaysProps {
  readonly policies: readonly Policy[];
  readonly chosen: Policy;
  readonly onChoose: (policy: Policy) => void;
}

function Ways({ policies, chosen, onChoose }: WaysProps) {
  const said = PARTNERS[language.value];
  if (policies.length < 2) return <p class="soft small">{said.waysMore[chosen]}</p>;
  return (
    <fieldset class="field ways-to-connect">
      <legend class="label">{said.way}</legend>
      {policies.map((one) => (
        <label key={one} class="check">
          <input type="radio" name="way" data-testid={`way-${one}`} checked={chosen === one} onChange={() => onChoose(one)} />
          <span>{said.ways[one]}<small class="soft tiny row-under">{said.waysMore[one]}</small></span>
        </label>
      ))}
    </fieldset>
  );
}

const PATIENCE_MS = 60_000;

function Sent({ card, programme, attempt, onStep }: StepProps & { readonly attempt: Attempt }) {
  const said = PARTNERS[language.value];
  const doing = useDoing();
  const late = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => (late.value = true), attempt.asked + PATIENCE_MS - Date.now());
    return () => clearTimeout(timer);
  }, [attempt.attempt]);
  const enter = (code: string) => doing.run(async () => {
    await enterCode(card, attempt, code);
    onStep({ at: 'done' });
  });
  const again = () => {
    forgetAttempt(card);
    onStep({ at: 'consent' });
  };
  const isOver = doing.code === 'attempt-gone';
  return (
    <>
      <p>{said.sent(textIn(language.value, programme.name))}</p>
      {!isOver && <CodeForm kind="challenge" fault={doing.fault} working={doing.working} onCode={(code) => void enter(code)} />}
      {isOver && <Fault text={doing.fault} />}
      {isOver && <button type="button" class="button main" onClick={again}>{said.sendAgain}</button>}
      {late.value && !isOver && (
        <div class="note-box" role="status" data-testid="nothing-came">
          <Icon name="alert" />
          <div>
            <p>{said.nothingCame}</p>
            <p class="small soft">
              {said.nothingCameMore}{programme.policies.includes('code') && ` ${said.nothingCameTill}`}
            </p>
            <button type="button" class="link" data-testid="ask-anew" onClick={again}>{said.sendAgain}</button>
          </div>
        </div>
      )}
      {programme.policies.includes('code') && (
        <button type="button" class="button quiet wide" onClick={() => onStep({ at: 'till' })}>{said.enterTillCode}</button>
      )}
    </>
  );
}

function FromTill({ card, onStep }: Omit<StepProps, 'programme'>) {
  const said = PARTNERS[language.value];
  const doing = useDoing();
  const enter = (code: string) => doing.run(async () => {
    await connect(card, 'code', plainCode(code));
    onStep({ at: 'done' });
  });
  return (
    <>
      <p>{said.tillCodeMore}</p>
      <CodeForm kind="code" fault={doing.fault} working={doing.working} onCode={(code) => void enter(code)} />
    </>
  );
}

/** The balance, when it comes. */
function Done({ card }: { readonly card: Card }) {
  const said = PARTNERS[language.value];
  const { live } = card;
  const heading = useRef<HTMLHeadingElement>(null);
  // The form that had the focus is gone.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <div class="stack centred connected" data-testid="connected">
      <Icon name="check" />
      <h2 ref={heading} tabIndex={-1}>{said.done}</h2>
      <div aria-live="polite" class="stack">
        {live?.balance
          ? (
            <>
              <p class="till-balance numbers" data-testid="live-balance">
                <span class="live">{amount(live.unit, live.balance.main)}</span>
              </p>
              <LiveDetails live={live} />
            </>
          )
          : <p class="soft">{said.doneMore}</p>}
      </div>
      <button type="button" class="button main" data-testid="to-card" onClick={() => leave(`/c/${card.id}`)}>
        {said.toCard}
      </button>
    </div>
  );
}

function Fault({ text }: { readonly text: string }) {
  return <div role="alert">{text && <p class="fault">{text}</p>}</div>;
}

interface Doing {
  readonly working: boolean;
  /** What went wrong, in a sentence and by its code. */
  readonly fault: string;
  readonly code: string;
  readonly run: (work: () => Promise<void> | void) => Promise<void>;
}

/** One thing at a time that may fail. */
function useDoing(): Doing {
  const working = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const run = async (work: () => Promise<void> | void): Promise<void> => {
    working.value = true;
    error.value = undefined;
    try {
      await work();
    } catch (found) {
      error.value = found;
    }
    working.value = false;
  };
  const code = codeOf(error.value);
  const fault = error.value === undefined ? '' : (PARTNERS[language.value].problems[code] ?? sentence(error.value));
  return { working: working.value, fault, code, run };
}

function codeOf(error: unknown): string {
  if (error instanceof Offline) return 'offline';
  return error instanceof ApiProblem ? error.code : '';
}
