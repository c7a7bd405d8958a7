/** The card cut out of its photo and straightened by the server, as the wallet shows it. */
import type { Draft } from '../model';
import type { Photos } from './capture';

/** Width to height of a card (ISO/IEC 7810, ID-1), and how far a straightened one may be off by rounding. */
const CARD = 85.6 / 53.98;
const OFF = 0.02;

/** What the server says of several photos: which of them is the card's front. */
type Sided = Draft & { readonly sides?: { readonly front: number } };

/** The photo, by its place, that shows the front: the first, unless print says otherwise. */
export function frontOf(draft: Draft | undefined, photos: Photos): number {
  const front = (draft as Sided | undefined)?.sides?.front ?? 0;
  return front < photos.length ? front : 0;
}

/** A card cut out of the photo at that place. */
export interface Face { readonly picture: Blob; readonly place: number }

/** The front straightened; undefined where the server found no card in it, and answered with the photo as it was. */
export async function faceOf(draft: Draft | undefined, photos: Photos): Promise<Blob | undefined> {
  const picture = draft?.face?.picture;
  if (!picture) return undefined;
  const blob = bytesOf(picture);
  const photo = photos[frontOf(draft, photos)];
  // What only the server can decode is better shown whole than not at all.
  if (!photo) return blob;
  const { width, height } = await createImageBitmap(blob);
  return !isAlike(width / height, photo.width / photo.height) && isCard(width, height) ? blob : undefined;
}

export function isCard(width: number, height: number): boolean {
  return isAlike(Math.max(width, height) / Math.min(width, height), CARD);
}

function isAlike(one: number, other: number): boolean {
  return Math.abs(one / other - 1) < OFF;
}

/** The bytes of a data URL. The page's content policy lets nothing be fetched but from our own server. */
function bytesOf(url: string): Blob {
  const [head = '', body = ''] = url.split(',', 2);
  const type = /^data:([^;]*)/.exec(head)?.[1] ?? '';
  return new Blob([Uint8Array.from(atob(body), (one) => one.charCodeAt(0))], { type });
}
