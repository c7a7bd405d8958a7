/** Said where what a shop says of itself cannot be asked for now. */
import { problemSentence } from '../messages';
import { PARTNERS } from '../messages/partners';
import { language, sync } from '../wallet';

export function OutOfReach() {
  const isOffline = sync.value.state === 'offline';
  return (
    <p class="soft" role="status">
      {isOffline ? PARTNERS[language.value].shopOffline : problemSentence('store-unavailable')}
    </p>
  );
}
