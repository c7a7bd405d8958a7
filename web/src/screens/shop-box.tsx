/** The shop box: any name may be typed; shops of the directory that match are offered. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { words } from '../messages';
import type { Merchant } from '../model';
import { prepareShops, suggestShops } from '../shops';
import { Tile } from '../tile';

export interface Shop {
  readonly name: string;
  readonly merchant?: string | undefined;
  /** Filled in from a photo, and not by the person. */
  readonly believed?: boolean;
}

interface ShopBoxProps {
  readonly shop: Shop;
  readonly onChange: (shop: Shop) => void;
  readonly fault?: string | undefined;
  readonly label: string;
}

export function ShopBox({ shop, onChange, fault, label }: ShopBoxProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const found = useMatches(open ? shop.name : '');
  const listed = open && found.length > 0;
  const choose = (one: Merchant) => {
    setOpen(false);
    setAt(-1);
    onChange({ name: one.name, merchant: one.slug });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!listed) return;
    const chosen = found[at];
    if (event.key === 'Enter' && chosen) choose(chosen);
    else if (event.key === 'Escape') setOpen(false);
    else if (event.key === 'ArrowDown') setAt((at + 1) % found.length);
    else if (event.key === 'ArrowUp') setAt((at <= 0 ? found.length : at) - 1);
    else return;
    event.preventDefault();
  };
  const onInput = (text: string) => {
    setOpen(true);
    setAt(-1);
    onChange({ name: text });
  };
  return (
    <div class="field">
      <label for={`${id}-box`}>{label}</label>
      <div class="combo">
        <input class="input" id={`${id}-box`} data-testid="shop" role="combobox" aria-expanded={listed}
          aria-controls={`${id}-list`} aria-autocomplete="list"
          aria-activedescendant={listed && at >= 0 ? `${id}-${at}` : undefined} aria-invalid={fault ? true : undefined}
          aria-describedby={fault ? `${id}-fault` : undefined} autocomplete="off" autocapitalize="words"
          enterkeyhint="next" maxLength={80}
          value={shop.name} onInput={(event) => onInput(event.currentTarget.value)} onKeyDown={onKeyDown}
          onBlur={() => setOpen(false)} />
        <ul class="suggestions" id={`${id}-list`} role="listbox" aria-label={words().confirm.shopSuggestions}
          hidden={!listed}>
          {found.map((one, i) => (
            <li key={one.slug} id={`${id}-${i}`} class="suggestion" role="option" aria-selected={i === at}
              onMouseDown={(event) => event.preventDefault()} onClick={() => choose(one)}>
              <Tile card={{ name: one.name, merchant: one.slug }} />{one.name}
            </li>
          ))}
        </ul>
      </div>
      {fault && <p id={`${id}-fault`} class="fault">{fault}</p>}
    </div>
  );
}

const PAUSE_MS = 150;
const OFFERED = 6;

function useMatches(query: string): readonly Merchant[] {
  const [found, setFound] = useState<readonly Merchant[]>([]);
  const asked = useRef(0);
  const text = query.trim();
  // Fetched while there is a network, for the day when there is none.
  useEffect(() => void prepareShops().catch(() => undefined), []);
  useEffect(() => {
    asked.current += 1;
    if (!text) return setFound([]);
    const mine = asked.current;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      suggestShops(text, OFFERED, stop.signal)
        .then((answer) => mine === asked.current && setFound(answer), () => setFound([]));
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return found;
}
