/** Taking everything along, and leaving for good. */
import { ApiProblem, Offline } from './api';
import { session, tab } from './here';

/**
 * The account's export as one ZIP; `onBytes` is told how much of it has come, for nobody knows how large it will be.
 * Rejects with `ApiProblem`, with `Offline` where it broke off, or with the caller's own abort.
 */
export async function takeEverything(onBytes: (bytes: number) => void, signal: AbortSignal): Promise<Blob> {
  const url = `/api/account/export?account=${tab.account.peek()?.id}`;
  try {
    const answer = await fetch(url, { cache: 'no-store', signal });
    if (!answer.ok) throw await problemOf(answer);
    return await gathered(answer, onBytes);
  } catch (error) {
    if (error instanceof ApiProblem || signal.aborted) throw error;
    throw new Offline('the export broke off', { cause: error });
  }
}

/** Whether the account has a password at all: there are other ways to sign in. */
export async function hasPassword(): Promise<boolean> {
  return (await tab.api.json<{ password: boolean }>('/api/account/ways')).password;
}

/**
 * Deletes the account. With `keep` its cards stay on this device as a guest's. Without a password rejects with
 * `proof-needed` unless the person has signed in a moment ago.
 */
export function deleteAccount(password: string | null, { keep }: { readonly keep: boolean }): Promise<void> {
  return session.deleteAccount(password, { keep });
}

async function gathered(answer: Response, onBytes: (bytes: number) => void): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = answer.body!.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: 'application/zip' });
    parts.push(value);
    onBytes((bytes += value.length));
  }
}

async function problemOf(answer: Response): Promise<ApiProblem> {
  const body = (await answer.json().catch(() => ({}))) as { code?: string };
  return new ApiProblem({ code: body.code ?? `http-${answer.status}`, status: answer.status });
}
