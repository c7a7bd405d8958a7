/** How to reach a shop, its tiers, and where it is. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ShopIcon } from '../icons-shops';
import { PARTNERS } from '../messages/partners';
import { hoursIn } from '../messages/when';
import { mayKnowPlace, nearest, placeHere, type Near, type Place, type ProgrammePage } from '../programmes';
import { textIn } from '../texts';
import { language } from '../wallet';

interface PageProps { readonly page: ProgrammePage }

export function Contacts({ page: { phone, email, site } }: PageProps) {
  const said = PARTNERS[language.value];
  if (!phone && !email && !site) return null;
  return (
    <ul class="menu contacts">
      {phone && (
        <li>
          <a class="menu-item" href={`tel:${phone}`}>
            <ShopIcon name="call" /><Labelled label={said.call} text={readable(phone)} />
          </a>
        </li>
      )}
      {email && (
        <li>
          <a class="menu-item" href={`mailto:${email}`}>
            <ShopIcon name="mail" /><Labelled label={said.write} text={email} />
          </a>
        </li>
      )}
      {site && isSafe(site) && (
        <li>
          <a class="menu-item" href={site} target="_blank" rel="noopener noreferrer">
            <ShopIcon name="globe" /><Labelled label={said.site} text={new URL(site).host} />
          </a>
        </li>
      )}
    </ul>
  );
}

/** A Russian number in groups; others as they are, each country has its own. */
function readable(phone: string): string {
  return phone.replace(/^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/, '+7 $1 $2-$3-$4');
}

function Labelled({ label, text }: { readonly label: string; readonly text: string }) {
  return <span class="grow">{label}<small class="soft tiny row-under">{text}</small></span>;
}

/** What comes from outside leads to a site and to nothing else. */
export function isSafe(site: string): boolean {
  return URL.canParse(site) && new URL(site).protocol === 'https:';
}

export function Tiers({ page: { tiers = [] }, mine }: PageProps & { readonly mine: string | undefined }) {
  const said = PARTNERS[language.value];
  if (!tiers.length) return null;
  return (
    <div>
      <h3 class="small soft">{said.tiers}</h3>
      <ul class="chips tiers">
        {tiers.map(({ id, name }) => (
          <li key={id} class="tier" aria-current={id === mine || undefined}>
            {textIn(language.value, name)}{id === mine && <span class="unseen">{`, ${said.yourTier}`}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

const AT_FIRST = 4;

export function Outlets({ page: { outlets = [] } }: PageProps) {
  const said = PARTNERS[language.value];
  const all = useSignal(false);
  const here = useSignal<Place | undefined>(undefined);
  const mayAsk = useSignal(false);
  const look = () => placeHere().then((place) => (here.value = place));
  useEffect(() => void mayKnowPlace().then((may) => {
    mayAsk.value = may === 'prompt';
    if (may === 'granted') void look();
  }), []);
  if (!outlets.length) return null;
  const sorted = nearest(outlets, here.value);
  const shown = all.value ? sorted : sorted.slice(0, AT_FIRST);
  const hasPlaces = outlets.some(({ lat }) => lat != null);
  const ask = () => {
    mayAsk.value = false;
    void look();
  };
  return (
    <div data-testid="outlets">
      <h3 class="small soft">{said.outlets}</h3>
      {mayAsk.value && hasPlaces && outlets.length > 1 && (
        <button type="button" class="link" onClick={ask}>{said.nearMe}</button>
      )}
      <ul class="outlets">{shown.map((near) => <li key={near.outlet.id}><OutletRow near={near} /></li>)}</ul>
      {sorted.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>{said.allOutlets(sorted.length)}</button>
      )}
    </div>
  );
}

function OutletRow({ near: { outlet: { name, address, hours }, metres } }: { readonly near: Near }) {
  return (
    <div class="row row-flush">
      <ShopIcon name="pin" />
      <span class="row-name">
        {name}
        {address && <small class="soft tiny row-under">{address}</small>}
        {hours && <small class="soft tiny row-under">{hoursIn(language.value, hours)}</small>}
      </span>
      {metres !== undefined && <span class="row-end numbers">{far(metres)}</span>}
    </div>
  );
}

const KILOMETRE = 1_000;
const STEP = 10;

/** A distance as one says it: to ten metres when near, to a tenth of a kilometre further off. */
function far(metres: number): string {
  const said = PARTNERS[language.value];
  if (metres < KILOMETRE) return said.metres(Math.max(STEP, Math.round(metres / STEP) * STEP));
  const km = metres / KILOMETRE;
  return said.kilometres(new Intl.NumberFormat(language.value, { maximumFractionDigits: km < STEP ? 1 : 0 }).format(km));
}
