/** Entry: mounts the screens and registers the service worker. */
import { render } from 'preact';
import { App } from './screens/app';
import { watchForUpdates } from './update';

const root = document.getElementById('app');
if (root) render(<App />, root);
void watchForUpdates();
