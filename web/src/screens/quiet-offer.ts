/** Passkeys offered in the field for the address: nobody asked for it, so only what follows a choice is told. */
import { NoPasskey } from '../passkeys';

/** Signs in by the passkey that is chosen; calls `onChosen` before it asks the server. */
type SignIn = (quietly: AbortSignal, onChosen: () => void) => Promise<unknown>;

/** Offers until one lets in, the signal ends it, or there is nothing to offer. After a failed one it offers anew. */
export async function offerQuietly(
  signIn: SignIn, signal: AbortSignal, onFault: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    let chosen = false;
    try {
      await signIn(signal, () => (chosen = true));
      return;
    } catch (error) {
      if (!chosen || signal.aborted || error instanceof NoPasskey) return;
      onFault(error);
    }
  }
}
