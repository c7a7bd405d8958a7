/** The country of the browser's language, as ISO 3166-1 in lower case; `ru` alone means Russia. */
export function country(): string | undefined {
  return new Intl.Locale(navigator.language).maximize().region?.toLowerCase();
}
