/** Passkeys in the browser: the server's JSON (WebAuthn level 3) to what `navigator.credentials` takes, and back. */

/** The person chose none, or the device let them choose none. */
export class NoPasskey extends Error {
  override readonly name = 'NoPasskey';
}

/** This device has a passkey of the account already. */
export class PasskeyHere extends Error {
  override readonly name = 'PasskeyHere';
}

export interface Options { readonly challenge: string; readonly [name: string]: unknown }

export function canUsePasskeys(): boolean {
  return typeof PublicKeyCredential === 'function' && isSecureContext;
}

/** Asks for a new one. Rejects with `NoPasskey` or `PasskeyHere`. */
export async function create(options: Options): Promise<unknown> {
  const user = options['user'] as { readonly id: string };
  const publicKey = {
    ...options, challenge: bytes(options.challenge), user: { ...user, id: bytes(user.id) },
    excludeCredentials: described(options['excludeCredentials']),
  } as unknown as PublicKeyCredentialCreationOptions;
  return answer(await chosen(navigator.credentials.create({ publicKey })));
}

/**
 * Asks for one of those that are there. With `quietly` the browser offers them in the field for the address, and `signal`
 * ends that. Rejects with `NoPasskey`.
 */
export async function get(options: Options, quietly?: AbortSignal): Promise<unknown> {
  const publicKey = {
    ...options, challenge: bytes(options.challenge), allowCredentials: described(options['allowCredentials']),
  } as unknown as PublicKeyCredentialRequestOptions;
  const more = quietly ? { mediation: 'conditional' as const, signal: quietly } : {};
  return answer(await chosen(navigator.credentials.get({ publicKey, ...more })));
}

/** Whether the browser can offer passkeys in the field for the address. */
export async function canOfferQuietly(): Promise<boolean> {
  return canUsePasskeys() && Boolean(await PublicKeyCredential.isConditionalMediationAvailable?.());
}

async function chosen(asking: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await asking;
    if (credential) return credential as PublicKeyCredential;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'InvalidStateError') throw new PasskeyHere();
    if (!(error instanceof DOMException)) throw error;
  }
  throw new NoPasskey();
}

function answer(credential: PublicKeyCredential): unknown {
  const parts: Record<string, string> = {};
  const names = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'] as const;
  const response = credential.response as unknown as Partial<Record<(typeof names)[number], ArrayBuffer | null>>;
  for (const name of names) if (response[name]) parts[name] = text(response[name]);
  const id = text(credential.rawId);
  return { id, rawId: id, type: credential.type, response: parts, clientExtensionResults: {} };
}

function described(list: unknown): PublicKeyCredentialDescriptor[] {
  const all = (list ?? []) as readonly { readonly id: string }[];
  return all.map(({ id }) => ({ type: 'public-key', id: bytes(id) }));
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
