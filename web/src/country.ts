/** Time zones that only Russia has: phones there are often set to English, whose region says nothing of where one shops. */
const RUSSIAN_ZONES = new RegExp(
  '^(Europe/(Kaliningrad|Moscow|Simferopol|Kirov|Volgograd|Astrakhan|Saratov|Ulyanovsk|Samara)'
    + '|Asia/(Yekaterinburg|Omsk|Novosibirsk|Barnaul|Tomsk|Novokuznetsk|Krasnoyarsk|Irkutsk|Chita|Yakutsk|Khandyga'
    + '|Vladivostok|Ust-Nera|Magadan|Sakhalin|Srednekolymsk|Kamchatka|Anadyr))$',
);

/** Where the person most likely shops, as ISO 3166-1 in lower case: by the clock, else by the browser's language. */
export function country(): string | undefined {
  if (RUSSIAN_ZONES.test(timeZone())) return 'ru';
  const spoken = new Intl.Locale(navigator.language);
  return (spoken.region ?? spoken.maximize().region)?.toLowerCase();
}

/** The clock's zone by its IANA name. Asked of Temporal where there is one: making a format takes a slow phone 100 ms. */
export function timeZone(): string {
  return globalThis.Temporal?.Now.timeZoneId() ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
