/** Pictures made small on the device before they are kept, so that a wallet of photos stays light and quick to sync. */

const LONGEST_SIDE_PX = 1600;
/** The server takes 2,000,000 bytes. */
const LARGEST_BYTES = 1_900_000;
const QUALITIES = [0.82, 0.7, 0.55, 0.4];

/**
 * The picture upright, at most 1600 pixels a side and under 2 MB, as WebP where the browser can write it, else JPEG.
 * Rejects when the file is no picture this browser reads.
 */
export async function shrink(picture: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(picture, { imageOrientation: 'from-image' });
  try {
    return isSmall(picture, bitmap) ? picture : await encoded(drawnSmall(bitmap));
  } finally {
    bitmap.close();
  }
}

/**
 * Whether it was encoded by this page already: once more would only blur it. A chosen file never counts: it may tell
 * where it was taken.
 */
function isSmall(picture: Blob, { width, height }: ImageBitmap): boolean {
  const type = picture.type === 'image/webp' || picture.type === 'image/jpeg';
  const size = picture.size < LARGEST_BYTES && Math.max(width, height) <= LONGEST_SIDE_PX;
  return type && size && !(picture instanceof File);
}

function drawnSmall(bitmap: ImageBitmap): HTMLCanvasElement {
  const scale = Math.min(1, LONGEST_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser cannot draw');
  context.imageSmoothingQuality = 'high';
  // JPEG has no transparency: what shows through would turn black.
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function encoded(canvas: HTMLCanvasElement): Promise<Blob> {
  for (const quality of QUALITIES) {
    const webp = await blobOf(canvas, 'image/webp', quality);
    // A browser that cannot write WebP answers with PNG instead.
    const small = webp?.type === 'image/webp' ? webp : await blobOf(canvas, 'image/jpeg', quality);
    if (small && small.size < LARGEST_BYTES) return small;
  }
  throw new Error('the picture does not get small enough');
}

function blobOf(canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob | null> {
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}
