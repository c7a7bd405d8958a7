/** The strip of letters at the edge: a thumb slides along it and the list follows; for the keyboard it is a slider. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Section } from '../alphabet';
import { words } from '../messages';

interface LettersProps {
  readonly sections: readonly Section[];
  readonly scroll: RefObject<HTMLElement | null>;
}

export function Letters({ sections, scroll }: LettersProps) {
  const [at, setAt] = useState(0);
  const [touched, setTouched] = useState<number>();
  const strip = useRef<HTMLDivElement>(null);
  const room = useRoom(strip);
  const show = (index: number) => {
    const bounded = Math.max(0, Math.min(sections.length - 1, index));
    setAt(bounded);
    scrollTo(scroll.current, sections[bounded]!.letter);
    return bounded;
  };
  const slide = (event: PointerEvent) => {
    const target = strip.current!;
    if (event.type === 'pointerdown') target.setPointerCapture(event.pointerId);
    if (!target.hasPointerCapture(event.pointerId)) return;
    show(indexAt(target, event.clientY, sections.length));
    setTouched(event.clientY - target.getBoundingClientRect().top);
  };
  const step = (event: KeyboardEvent) => {
    const to = KEYS[event.key]?.(at, sections.length);
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  };
  const present = sections[Math.min(at, sections.length - 1)]?.letter;
  return (
    <div class="letters" ref={strip} role="slider" tabIndex={0} aria-label={words().wallet.letters}
      aria-orientation="vertical" aria-valuemin={1}
      aria-valuemax={sections.length} aria-valuenow={at + 1} aria-valuetext={present} onKeyDown={step}
      onPointerDown={slide}
      onPointerMove={slide} onPointerUp={() => setTouched(undefined)} onPointerCancel={() => setTouched(undefined)}>
      {thinned(sections, room).map(({ letter, index }) => (
        <span key={letter} class={touched !== undefined && index === at ? 'here' : ''}>
          {index === undefined ? '·' : letter}
        </span>
      ))}
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

interface Shown { readonly letter: string; readonly index: number | undefined }

/** As many letters as there is room for, a dot in place of each gap; the thumb still reaches every one. */
function thinned(sections: readonly Section[], room: number): Shown[] {
  const every = Math.ceil((2 * sections.length) / Math.max(2, room));
  const all = sections.map(({ letter }, index) => ({ letter, index }));
  if (sections.length <= room) return all;
  return all.filter(({ index }) => index % every === 0)
    .flatMap((one): Shown[] => [one, { letter: `after ${one.letter}`, index: undefined }]).slice(0, -1);
}

const LETTER_HEIGHT = 1.02;

function useRoom(strip: RefObject<HTMLElement | null>): number {
  const [room, setRoom] = useState(Infinity);
  useLayoutEffect(() => {
    const measure = () => {
      const letter = strip.current!.querySelector('span');
      if (!letter) return;
      const size = LETTER_HEIGHT * parseFloat(getComputedStyle(letter).fontSize);
      setRoom(Math.floor(strip.current!.clientHeight / size));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(strip.current!);
    return () => observer.disconnect();
  }, []);
  return room;
}

function indexAt(strip: HTMLElement, y: number, count: number): number {
  const spans = strip.querySelectorAll('span');
  const first = spans[0]!.getBoundingClientRect();
  const last = spans[spans.length - 1]!.getBoundingClientRect();
  return Math.floor(((y - first.top) / (last.bottom - first.top)) * count);
}

/** Brings a letter's section to the top of the list. */
export function scrollTo(list: HTMLElement | null, letter: string): HTMLElement | null {
  const section = list?.querySelector<HTMLElement>(`[data-letter="${CSS.escape(letter)}"]`) ?? null;
  if (list && section) list.scrollTop = section.offsetTop - list.offsetTop;
  return section;
}
