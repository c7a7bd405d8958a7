/** The frame of a screen: a bar with the way back, a heading that takes the focus, a body that scrolls. */
import type { ComponentChildren, Ref, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from '../icons';
import { words } from '../messages';
import { back } from '../router';

interface ScreenProps {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly foot?: ComponentChildren;
  readonly class?: string;
  readonly bodyRef?: Ref<HTMLDivElement>;
  /** Instead of going back at once, for screens with something to lose. */
  readonly onBack?: () => void;
  readonly children: ComponentChildren;
}

export function Screen({ title, actions, foot, children, bodyRef, onBack = back, class: extra = '' }: ScreenProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(title);
  useFocus(heading);
  return (
    <div class={`pane ${extra}`} role="main">
      <div class="bar">
        <Round icon="back" label={words().common.back} onClick={onBack} />
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {actions}
      </div>
      <div class="body" ref={bodyRef ?? null}>{children}</div>
      {foot && <div class="foot">{foot}</div>}
    </div>
  );
}

/** After the paint, for the focus needs a layout at once; not where a field of the screen has taken it already. */
function useFocus(heading: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const pane = heading.current?.closest('.pane');
    if (!pane?.contains(document.activeElement)) heading.current?.focus({ preventScroll: true });
  }, []);
}

interface RoundProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly filled?: boolean;
  readonly pressed?: boolean;
}

/** A round button of one icon; its label is read aloud and shown on hover. */
export function Round({ icon, label, onClick, filled = false, pressed }: RoundProps) {
  return (
    <button type="button" class="round" aria-label={label} title={label} aria-pressed={pressed} onClick={onClick}>
      <Icon name={icon} filled={filled} />
    </button>
  );
}

/** The document's title while this is shown. */
export function useTitle(title: string, shown = true): void {
  const { name } = words().app;
  useEffect(() => {
    if (shown) document.title = title === name ? name : `${title} · ${name}`;
  }, [title, name, shown]);
}
