/** What to tell a person whose code is not read: one hint at a time, steady enough to be followed. */
import type { Sight } from './sight';

export type Hint = 'dark' | 'small' | 'blurred';

const DARK = 50;
/** Readers want about two pixels a module; bars and spaces are some 1.7 modules wide on average. */
const FINE_BAR = 3.6;
/** Below, there is nothing to be sharp: an empty table. */
const LEAST_CONTRAST = 50;
const SOFT = 0.3;

/** The likeliest cause that a frame was not read, where one can be told. */
export function hintOf({ light, contrast, sharpness, bar }: Sight): Hint | undefined {
  if (light < DARK && contrast < 2 * DARK) return 'dark';
  if (bar !== undefined && bar < FINE_BAR) return 'small';
  return contrast >= LEAST_CONTRAST && sharpness < SOFT ? 'blurred' : undefined;
}

const APPEARS_MS = 700;
const STAYS_MS = 1500;

/** A hint that has held for a while, and then stays for a while: frames differ from one to the next. */
export class Steady {
  private shown: Hint | undefined;
  private shownSince = -Infinity;
  private wanted: Hint | undefined;
  private wantedSince = -Infinity;

  /** What to show now, `hint` being what the frame of this moment (milliseconds) gives. */
  next(hint: Hint | undefined, nowMs: number): Hint | undefined {
    if (hint !== this.wanted) {
      this.wanted = hint;
      this.wantedSince = nowMs;
    }
    const isSettled = nowMs - this.wantedSince >= APPEARS_MS;
    const mayGo = this.shown === undefined || nowMs - this.shownSince >= STAYS_MS;
    if (this.shown !== this.wanted && isSettled && mayGo) {
      this.shown = this.wanted;
      this.shownSince = nowMs;
    }
    return this.shown;
  }
}
