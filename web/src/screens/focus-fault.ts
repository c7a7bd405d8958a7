/** Shows the first field that stops a form from being sent. */
export function focusFault(form: HTMLElement): void {
  // Once the fault has been drawn.
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
