/** Signing in and out, this person's devices, and what happens to a guest's cards. */
import { session } from './here';
import type { Account, Card, Device } from './model';
import { language } from './wallet';

/**
 * Answers nothing where a mail was sent whose link opens the account. Rejects with `ApiProblem` (`address-taken`,
 * `invalid`, …) or `Offline`.
 */
export function signUp(email: string, password: string): Promise<Account | undefined> {
  return session.signUp(email, password, language.peek());
}

/** Rejects with `ApiProblem` (`wrong-credentials`, …) or `Offline`. */
export function signIn(email: string, password: string): Promise<Account> {
  return session.signIn(email, password);
}

/** Cards kept on this device before any sign-in, those in the bin left out. */
export function guestCards(): Promise<readonly Card[]> {
  return session.guestCards();
}

/** Puts the chosen guest's cards into the account; the rest stay with the guest. */
export function adopt(ids: readonly string[]): Promise<void> {
  return session.adopt(ids);
}

/** Sends what is unsent, ends the session and wipes the account's data here. Rejects with `UnsentChanges`. */
export function signOut(options: { discardUnsent?: boolean } = {}): Promise<void> {
  return session.signOut(options);
}

export function devices(): Promise<readonly Device[]> {
  return session.devices();
}

/** Signs a device out from here; this very one included, which then wipes its data. */
export function revoke(id: string): Promise<void> {
  return session.revoke(id);
}
