/** Cards whose photos came together, one after the other. */
export interface Pile {
  readonly left: readonly Blob[];
  readonly all: number;
}

export const NO_PILE: Pile = { left: [], all: 0 };

export function pileOf(files: readonly Blob[]): Pile {
  return { left: files, all: files.length };
}

/** Its next photo, if there is one, and the pile without it. */
export function drawn({ left: [file, ...left], all }: Pile): { readonly file: Blob | undefined; readonly pile: Pile } {
  return { file, pile: { left, all } };
}

/** Which of how many is on the table; undefined where there is none, or it is the only one. */
export function placeIn({ left, all }: Pile): { readonly n: number; readonly all: number } | undefined {
  const n = all - left.length;
  return n > 0 && all > 1 ? { n, all } : undefined;
}

/** The pile once the one on the table was let go: what is left of it begins anew. */
export function rest({ left }: Pile): Pile {
  return pileOf(left);
}
