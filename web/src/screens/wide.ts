/** Whether the list and the card stand side by side. */
import { signal } from '@preact/signals';

const query = matchMedia('(min-width: 720px) and (min-height: 500px)');

export const wide = signal(query.matches);
query.addEventListener('change', () => (wide.value = query.matches));
