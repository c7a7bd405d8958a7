/**
 * Something laid over a screen: Escape, Back and a press beside it close it, and the focus goes back where it came
 * from.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../messages';
import { overlay } from '../router';
import { Round } from './screen';

interface SheetProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Sheet({ title, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    const closed = overlay(onClose);
    return () => {
      element.close();
      closed();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog class="sheet" ref={dialog} aria-label={title} onCancel={cancel}
      onClick={(event) => event.target === dialog.current && onClose()}>
      <div class="sheet-head">
        <h2>{title}</h2>
        <Round icon="close" label={words().common.close} onClick={onClose} />
      </div>
      {children}
    </dialog>
  );
}
