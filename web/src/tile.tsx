/** A generated tile for a shop: its initials on a colour made from its slug, always readable. */
import type { Card } from './model';

/** What a tile is made from. */
export type Tiled = Pick<Card, 'name'> & Partial<Pick<Card, 'merchant' | 'colour'>>;

export function Tile({ card, large = false }: { readonly card: Tiled; readonly large?: boolean }) {
  const size = large ? 'tile tile-large' : 'tile';
  return <span class={size} style={tint(card)} aria-hidden="true">{initials(card.name)}</span>;
}

/** Colours of a card's tile: its own colour, else one of its shop's. */
export function tint(card: Tiled): { backgroundColor: string; color: string } {
  const backgroundColor = card.colour ?? colourOf(card.merchant ?? card.name);
  return { backgroundColor, color: inkOn(backgroundColor) };
}

/** Two letters: of the first two words, else the first two of the only one. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  const [first = [...name.trim()][0] ?? '?', second] = words;
  // Georgian has capitals that few fonts draw and nobody writes names with.
  if (/[\u10d0-\u10ff]/.test(first)) return [...first].slice(0, 2).join('');
  const letters = second ? [...first][0]! + [...second][0]!.toUpperCase() : [...first].slice(0, 2).join('');
  return letters.charAt(0).toUpperCase() + letters.slice(1);
}

/** A muted colour, the same for the same seed everywhere, dark enough for white letters. */
export function colourOf(seed: string): string {
  const hash = fnv1a(seed.trim().toLowerCase());
  const hue = hash % 360;
  const saturation = 38 + ((hash >>> 9) % 3) * 9;
  for (let lightness = 44; ; lightness -= 2) {
    const colour = hex(hue, saturation, lightness);
    if (contrast(colour, '#ffffff') >= 4.6) return colour;
  }
}

/** Black or white, whichever is easier to read on a colour (WCAG 2.2, contrast ratio). */
export function inkOn(colour: string): string {
  return contrast(colour, '#ffffff') >= contrast(colour, '#000000') ? '#ffffff' : '#000000';
}

/** Contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function hex(hue: number, saturation: number, lightness: number): string {
  const l = lightness / 100;
  const a = (saturation / 100) * Math.min(l, 1 - l);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)))).toString(16).padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}
