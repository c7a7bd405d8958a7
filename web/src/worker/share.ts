/** Pictures shared into Karman: put down here, with a network or without, and read by the page that opens next. */
import { registerRoute } from 'workbox-routing';
import { putShared, SHARE_PATH } from '../capture/shared';

registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname === SHARE_PATH,
  ({ request }) => putShared(request),
  'POST',
);
