/** Which country's shops are suggested first. */
import { afterEach, expect, test, vi } from 'vitest';
import { country } from '../src/country';

afterEach(() => vi.unstubAllGlobals());

function at(timeZone: string, language: string): string | undefined {
  vi.stubGlobal('navigator', { language });
  vi.stubGlobal('Temporal', undefined);
  vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockReturnValue(
    { timeZone } as Intl.ResolvedDateTimeFormatOptions,
  );
  return country();
}

test('a phone set to English in Moscow shops in Russia', () => {
  expect(at('Europe/Moscow', 'en-US')).toBe('ru');
  expect(at('Asia/Novosibirsk', 'en-GB')).toBe('ru');
});

test('elsewhere the language tells', () => {
  expect(at('Europe/Berlin', 'de-DE')).toBe('de');
  expect(at('Asia/Almaty', 'ru-KZ')).toBe('kz');
  expect(at('America/New_York', 'ru')).toBe('ru');
});

test('a browser with Temporal is asked by it', () => {
  vi.stubGlobal('navigator', { language: 'en-US' });
  vi.stubGlobal('Temporal', { Now: { timeZoneId: () => 'Europe/Samara' } });
  expect(country()).toBe('ru');
});
