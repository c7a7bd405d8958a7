/**
 * Pictures shared into Karman from elsewhere, the gallery say: the service worker puts them down, with a network or
 * without, and the page that opens next takes them up.
 */

/** Where the system sends them (the manifest's `share_target`), and the screen that opens then. */
export const SHARE_PATH = '/add/shared';
export const SHARE_FIELD = 'photo';
const OPENED = '/add?shared';

const CACHE = 'karman-shared';
/** A form of the browser may hold anything; more pictures than these are no cards. */
const MOST = 20;

/** Keeps the pictures of a form and leads to the screen that reads them. For the service worker. */
export async function putShared(request: Request): Promise<Response> {
  try {
    const form = await request.formData();
    const files = form.getAll(SHARE_FIELD).filter(isPicture).slice(0, MOST);
    await caches.delete(CACHE);
    const cache = await caches.open(CACHE);
    await Promise.all(files.map((file, place) => cache.put(`/shared/${place}`, responseOf(file))));
  } catch {
    // The screen says that nothing came.
  }
  return Response.redirect(OPENED, 303);
}

/** A form without a file holds an empty one. */
function isPicture(entry: FormDataEntryValue): entry is File {
  return entry instanceof File && entry.size > 0;
}

function responseOf(file: File): Response {
  return new Response(file, { headers: { 'Content-Type': file.type || 'application/octet-stream' } });
}

/** Whether this address was opened by sharing. */
export function isShared(search: string): boolean {
  return new URLSearchParams(search).has('shared');
}

/** What was shared, in the order it came; it is not kept any longer. */
export async function takeShared(): Promise<readonly Blob[]> {
  const cache = await caches.open(CACHE);
  const answers = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
  const files = await Promise.all(answers.map((answer) => answer?.blob()));
  await caches.delete(CACHE);
  return files.filter((file) => file !== undefined);
}
