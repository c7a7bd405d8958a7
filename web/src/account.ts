/** Signing in and out, this person's devices, and what happens to a guest's cards. */
import type { Account, Card, Device } from './model';

/** Throws `ApiProblem` (`address-taken`, `invalid`, …) or `Offline`. */
export function signUp(_email: string, _password: string): Promise<Account> {
  throw new Error('in work');
}

/** Throws `ApiProblem` (`wrong-credentials`, …) or `Offline`. */
export function signIn(_email: string, _password: string): Promise<Account> {
  throw new Error('in work');
}

/** Cards kept on this device before any sign-in, those in the bin left out. */
export function guestCards(): Promise<readonly Card[]> {
  throw new Error('in work');
}

/** Puts the chosen guest's cards into the account; the rest stay with the guest. */
export function adopt(_ids: readonly string[]): Promise<void> {
  throw new Error('in work');
}

/** Sends what is unsent, ends the session and wipes the account's data from this device. Throws `UnsentChanges`. */
export function signOut(_options: { discardUnsent?: boolean } = {}): Promise<void> {
  throw new Error('in work');
}

export function devices(): Promise<readonly Device[]> {
  throw new Error('in work');
}

export function revoke(_id: string): Promise<void> {
  throw new Error('in work');
}
