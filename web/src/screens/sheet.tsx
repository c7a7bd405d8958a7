/**
 * Something laid over a screen: Escape, Back and a press beside it close it, and the focus goes back where it came
 * from. One that `stays` closes only by what is in it: it shows what nobody can call up again.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../messages';
import { guard, overlay } from '../router';
import { Round } from './screen';

interface SheetProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly stays?: boolean;
  readonly children: ComponentChildren;
}

export function Sheet({ title, onClose, stays, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    const closed = stays ? guard(() => undefined) : overlay(onClose);
    return () => {
      element.close();
      closed();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    if (!stays) onClose();
  };
  // Some browsers close it at a second Escape without asking.
  const onClosed = () => stays && dialog.current?.isConnected && dialog.current.showModal();
  return (
    <dialog class="sheet" ref={dialog} aria-label={title} onCancel={cancel} onClose={onClosed}
      onClick={(event) => !stays && event.target === dialog.current && onClose()}>
      <div class="sheet-head">
        <h2>{title}</h2>
        {!stays && <Round icon="close" label={words().common.close} onClick={onClose} />}
      </div>
      {children}
    </dialog>
  );
}
