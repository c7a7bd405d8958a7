/** The camera's frames: what is measured in them, when a hint is given, and how they are watched. */
import { describe, expect, it } from 'vitest';
import { aimOf, faultOf } from '../src/capture/camera';
import { hintOf, Steady } from '../src/capture/hints';
import { measure } from '../src/capture/sight';
import { watch, type Eye } from '../src/capture/watch';
import type { Found } from '../src/capture/reader';
import type { Seen } from '../src/capture/reader-thread';
import { draw } from '../src/codes/draw';
import { CAPTURE } from '../src/messages/capture';
import { EAN } from './help';

const WIDTH = 640;
const HEIGHT = 400;
const TABLE = 160;

/** A code on a grey table; its modules are so many pixels wide, drawn as a camera without fault would see them. */
async function picture(modulePx: number, turn = false): Promise<ImageData> {
  const bars = (await draw(EAN)).rows[0]!;
  const inkUpTo = (x: number): number => {
    const at = Math.min(Math.max(x, 0), bars.length);
    const whole = [...bars.slice(0, Math.floor(at))].filter((bar) => bar === '1').length;
    return whole + (bars[Math.floor(at)] === '1' ? at - Math.floor(at) : 0);
  };
  const ink = (x: number): number => (inkUpTo((x - 140) / modulePx + 1 / modulePx) - inkUpTo((x - 140) / modulePx)) * modulePx;
  const isLabel = (x: number, y: number): boolean =>
    x >= 120 && x < 160 + bars.length * modulePx && y >= 120 && y < 160 + 50 * modulePx;
  return made((x, y) => (isLabel(...(turn ? [y, x] as const : [x, y] as const)) ? 240 * (1 - ink(turn ? y : x)) : TABLE));
}

function made(grey: (x: number, y: number) => number): ImageData {
  const data = new Uint8ClampedArray(WIDTH * HEIGHT * 4);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) data.fill(grey(x, y), (y * WIDTH + x) * 4, (y * WIDTH + x) * 4 + 3);
  }
  return { width: WIDTH, height: HEIGHT, data } as ImageData;
}

/** The mean of the pixels around each, as a lens out of focus makes it. */
function blurred({ data }: ImageData, radius: number): ImageData {
  const at = (x: number, y: number): number =>
    data[(Math.min(Math.max(y, 0), HEIGHT - 1) * WIDTH + Math.min(Math.max(x, 0), WIDTH - 1)) * 4]!;
  const range = Array.from({ length: 2 * radius + 1 }, (_, i) => i - radius);
  const across = made((x, y) => range.reduce((sum, d) => sum + at(x + d, y), 0) / range.length).data;
  return made((x, y) => range.reduce((sum, d) =>
    sum + across[(Math.min(Math.max(y + d, 0), HEIGHT - 1) * WIDTH + x) * 4]!, 0) / range.length);
}

const dimmed = ({ data }: ImageData, share: number): ImageData => made((x, y) => data[(y * WIDTH + x) * 4]! * share);
const hint = (image: ImageData) => hintOf(measure(image));

describe('a frame', () => {
  it('with a sharp code of readable size gives no hint', async () => {
    expect(hint(await picture(3))).toBeUndefined();
  });

  it('with bars too fine for a reader asks to come closer, whichever way the code lies', async () => {
    expect(hint(await picture(1.4))).toBe('small');
    expect(hint(await picture(1.4, true))).toBe('small');
  });

  it('without a sharp edge is out of focus', async () => {
    expect(hint(blurred(blurred(await picture(3), 4), 4))).toBe('blurred');
  });

  it('of a dark room is dark, and a black card in good light is not', async () => {
    expect(hint(dimmed(await picture(3), 0.12))).toBe('dark');
    expect(hint(made((x, y) => (Math.hypot(x - 300, y - 200) < 60 ? 235 : 12)))).not.toBe('dark');
  });

  it('of an empty table says nothing', () => {
    expect(hint(made(() => TABLE))).toBeUndefined();
  });
});

describe('a hint', () => {
  it('is shown once it has held, and then stays long enough to be read', () => {
    const steady = new Steady();
    const shown = (...given: [ms: number, hint: 'small' | 'blurred' | undefined][]) => given.map(([ms, one]) => steady.next(one, ms));
    expect(shown([0, 'small'], [300, undefined], [400, 'small'], [900, 'small'])).toEqual([undefined, undefined, undefined, undefined]);
    expect(shown([1150, 'small'], [1200, undefined], [2000, undefined])).toEqual(['small', 'small', 'small']);
    expect(shown([2700, undefined], [2800, 'blurred'], [3400, 'blurred'])).toEqual([undefined, undefined, undefined]);
    expect(shown([4300, 'blurred'])).toEqual(['blurred']);
  });
});

const FOUND: Found = { ...EAN, confidence: 1, box: [[0, 0], [1, 0], [1, 1], [0, 1]] };
const NOTHING: Seen = { codes: [] };

/** A camera whose frames take 100 ms each and are looked at in turn; ends when there are no more. */
function eyeOf(seen: (Seen | Error)[]) {
  const frame = { close: () => (kept.closed += 1) } as unknown as ImageBitmap;
  const kept = { closed: 0, open: 0, most: 0, thorough: [] as boolean[], late: [] as number[], hints: [] as unknown[] };
  let [looks, ms] = [0, 0];
  const eye: Eye<number> = {
    next: async () => {
      ms += 100;
      if (looks >= seen.length) throw new Error('no more frames');
      return looks;
    },
    look: async (at, thorough) => {
      kept.most = Math.max(kept.most, (kept.open += 1));
      kept.thorough.push(thorough);
      await Promise.resolve();
      kept.open -= 1;
      looks += 1;
      const one = seen[at]!;
      if (one instanceof Error) throw one;
      return one.codes.length ? { ...one, frame } : one;
    },
    now: () => ms,
  };
  return { eye, kept, heard: { hint: (one: unknown) => kept.hints.push(one), late: () => kept.late.push(ms) } };
}

describe('watching', () => {
  it('takes a linear code that two frames agree on, and looks at one frame at a time', async () => {
    const other = { ...FOUND, text: '4607001234579', raw: 'b3RoZXI=' };
    const { eye, heard, kept } = eyeOf([NOTHING, { codes: [other] }, { codes: [FOUND] }, NOTHING, { codes: [FOUND] }]);
    expect((await watch(eye, heard)).codes).toEqual([FOUND]);
    expect(kept).toMatchObject({ most: 1, closed: 2, thorough: [false, false, false, true, false] });
  });

  it('takes a code that corrects its own errors at first sight', async () => {
    const qr = { ...FOUND, format: 'qr_code' as const };
    expect((await watch(...both(eyeOf([{ codes: [qr] }])))).codes).toEqual([qr]);
  });

  it('offers a photo after eight seconds, once', async () => {
    const { eye, heard, kept } = eyeOf(Array.from({ length: 100 }, () => NOTHING));
    await expect(watch(eye, heard)).rejects.toThrow('no more frames');
    expect(kept.late).toEqual([8_000]);
  });

  it('goes on after a failure of the reader, and ends when it fails time and again', async () => {
    const broken = new Error('out of memory');
    const { eye, heard } = eyeOf([broken, broken, { codes: [FOUND] }, broken, broken, { codes: [FOUND] }]);
    expect((await watch(eye, heard)).codes).toEqual([FOUND]);
    await expect(watch(...both(eyeOf([broken, broken, broken, NOTHING])))).rejects.toBe(broken);
  });
});

function both({ eye, heard }: ReturnType<typeof eyeOf>) {
  return [eye, heard] as const;
}

describe('the camera', () => {
  it('is read under the drawn frame, whichever way the picture is cut off', () => {
    expect(aimOf({ width: 350, height: 350 }, { width: 1920, height: 1080 })).toEqual({ left: 452, top: 162, width: 1015, height: 756 });
    const { left, top, width, height } = aimOf({ width: 350, height: 350 }, { width: 1080, height: 1920 });
    expect([left + width / 2, top + height / 2].map(Math.round)).toEqual([540, 960]);
  });

  it('that is refused, held by another app or missing is told apart', () => {
    const named = (name: string) => faultOf(new DOMException('', name));
    expect(['NotAllowedError', 'NotReadableError', 'NotFoundError'].map(named)).toEqual(['denied', 'busy', 'none']);
    expect(faultOf(new TypeError('no mediaDevices'))).toBe('none');
  });
});

describe('the words', () => {
  it('count seconds and photos as each language does, and shout at nobody', () => {
    expect([1, 3, 5].map(CAPTURE.ru.serverWaits)).toEqual(['секунду', 'секунды', 'секунд'].map((unit, i) => `Сервер занят. Спрошу ещё раз через ${[1, 3, 5][i]} ${unit}.`));
    expect([1, 2].map(CAPTURE.en.photoKeep)).toEqual(['Keep the photo of the card', 'Keep both photos of the card']);
    const all = Object.values(CAPTURE).flatMap((words) => Object.values(words)).filter((one) => typeof one === 'string');
    expect(all.filter((one) => one.includes('!'))).toEqual([]);
  });
});
