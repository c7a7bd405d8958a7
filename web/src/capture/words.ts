/** What taking a card in says, in the chosen language. */
import { CAPTURE, type CaptureWords } from '../messages/capture';
import { language } from '../wallet';

/** A component that reads them renders again when the language changes. */
export function captureWords(): CaptureWords {
  return CAPTURE[language.value];
}
