/** Watches the camera frame by frame until a code is read; meanwhile tells what may be wrong. */
import { hintOf, Steady, type Hint } from './hints';
import type { Found } from './reader';
import type { Seen } from './reader-thread';

/** What watching needs of a camera and a clock; `Frame` is a picture that `look` uses up. */
export interface Eye<Frame> {
  /** The next frame the camera shows; rejects when watching ends. */
  readonly next: () => Promise<Frame>;
  readonly look: (frame: Frame, thorough: boolean) => Promise<Seen>;
  /** Milliseconds. */
  readonly now: () => number;
}

export interface Heard {
  readonly hint: (hint: Hint | undefined) => void;
  /** A photo would be the better way now. */
  readonly late: () => void;
}

export interface Caught { readonly frame: ImageBitmap; readonly codes: readonly Found[] }

/** A code that is not read by then is better photographed. */
const PATIENCE_MS = 8_000;
/** Every so many looks one is thorough: turned and small codes are found then. */
const THOROUGH_EVERY = 4;
/** So many looks in a row without an answer: the reader does not work here. */
const MOST_FAILURES = 3;

/** Looks at one frame at a time. Rejects when `eye.next` does, and when the reader fails time and again. */
export async function watch<Frame>(eye: Eye<Frame>, heard: Heard): Promise<Caught> {
  const votes = new Map<string, number>();
  const steady = new Steady();
  const begun = eye.now();
  let isLate = false;
  for (let look = 1, failures = 0; ; look += 1) {
    const frame = await eye.next();
    const seen = await eye.look(frame, look % THOROUGH_EVERY === 0).catch((error: unknown) => {
      failures += 1;
      if (failures === MOST_FAILURES) throw error;
    });
    if (!seen) continue;
    failures = 0;
    const codes = settled(seen.codes, votes);
    if (codes.length && seen.frame) return { frame: seen.frame, codes };
    seen.frame?.close();
    heard.hint(steady.next(seen.sight && hintOf(seen.sight), eye.now()));
    if (!isLate && eye.now() - begun >= PATIENCE_MS) {
      isLate = true;
      heard.late();
    }
  }
}

/** A linear code has no error correction: one look may be wrong, two that agree hardly. */
const LINEAR_VOTES = 2;
const CORRECTED = new Set(['qr_code', 'aztec', 'data_matrix', 'pdf417']);

function settled(found: readonly Found[], votes: Map<string, number>): Found[] {
  return found.filter((one) => {
    const key = `${one.format} ${one.raw}`;
    votes.set(key, (votes.get(key) ?? 0) + 1);
    return CORRECTED.has(one.format) || votes.get(key)! >= LINEAR_VOTES;
  });
}
