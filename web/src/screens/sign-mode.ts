/** Whether the form makes an account or signs in: chosen by where the person came from. */
import { signal } from '@preact/signals';

export type SignMode = 'up' | 'in';

export const signMode = signal<SignMode>('up');
