/** The strip of letters at the edge: a thumb slides along it and the list follows; for the keyboard it is a slider. */
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { Section } from '../alphabet';
import { words } from '../messages';

interface LettersProps {
  readonly sections: readonly Section[];
  readonly scroll: RefObject<HTMLElement | null>;
}

export function Letters({ sections, scroll }: LettersProps) {
  const [at, setAt] = useState(0);
  const [touched, setTouched] = useState<number>();
  const show = (index: number) => {
    const bounded = Math.max(0, Math.min(sections.length - 1, index));
    setAt(bounded);
    scrollTo(scroll.current, sections[bounded]!.letter);
    return bounded;
  };
  const slide = (event: PointerEvent) => {
    const strip = event.currentTarget as HTMLElement;
    if (event.type === 'pointerdown') strip.setPointerCapture(event.pointerId);
    if (!strip.hasPointerCapture(event.pointerId)) return;
    show(indexAt(strip, event.clientY, sections.length));
    setTouched(event.clientY - strip.getBoundingClientRect().top);
  };
  const step = (event: KeyboardEvent) => {
    const to = KEYS[event.key]?.(at, sections.length);
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  };
  const present = sections[Math.min(at, sections.length - 1)]?.letter;
  return (
    <div class="letters" role="slider" tabIndex={0} aria-label={words().wallet.letters} aria-orientation="vertical" aria-valuemin={1}
      aria-valuemax={sections.length} aria-valuenow={at + 1} aria-valuetext={present} onKeyDown={step} onPointerDown={slide}
      onPointerMove={slide} onPointerUp={() => setTouched(undefined)} onPointerCancel={() => setTouched(undefined)}>
      {sections.map(({ letter }, i) => <span key={letter} class={touched !== undefined && i === at ? 'here' : ''}>{letter}</span>)}
      {touched !== undefined && <div class="bubble" style={{ top: `${touched}px` }}>{present}</div>}
    </div>
  );
}

const KEYS: Record<string, (at: number, count: number) => number> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowLeft: (at) => at - 1,
  PageDown: (at) => at + 5,
  PageUp: (at) => at - 5,
  Home: () => 0,
  End: (_at, count) => count - 1,
};

function indexAt(strip: HTMLElement, y: number, count: number): number {
  const first = strip.firstElementChild!.getBoundingClientRect();
  const last = strip.children[count - 1]!.getBoundingClientRect();
  return Math.floor(((y - first.top) / (last.bottom - first.top)) * count);
}

/** Brings a letter's section to the top of the list. */
export function scrollTo(list: HTMLElement | null, letter: string): HTMLElement | null {
  const section = list?.querySelector<HTMLElement>(`[data-letter="${CSS.escape(letter)}"]`) ?? null;
  if (list && section) list.scrollTop = section.offsetTop - list.offsetTop;
  return section;
}
