/** The colour of a card's tile: the shop's own unless the person takes another. */
import { Icon } from '../icons';
import { words } from '../messages';
import { colourOf, inkOn } from '../tile';
import type { Shop } from './shop-box';

const COLOURS = [
  '#c62828', '#d84315', '#b26a00', '#558b2f', '#00695c', '#0277bd', '#283593', '#6a1b9a', '#ad1457', '#37474f',
];

interface ColourFieldProps {
  readonly name: Shop;
  readonly colour: string | undefined;
  readonly onChange: (colour: string | undefined) => void;
}

export function ColourField({ name, colour, onChange }: ColourFieldProps) {
  const { edit } = words();
  const own = colourOf(name.merchant ?? name.name);
  const other = colour && !COLOURS.includes(colour) ? colour : undefined;
  return (
    <fieldset class="field">
      <legend class="label soft small">{edit.colour}</legend>
      <div class="swatches">
        <Swatch colour={own} label={edit.shopColour} chosen={!colour} onClick={() => onChange(undefined)} />
        {[...(other ? [other] : []), ...COLOURS].map((one) => (
          <Swatch key={one} colour={one} label={one} chosen={one === colour} onClick={() => onChange(one)} />
        ))}
        <input class="swatch" type="color" aria-label={edit.ownColour} title={edit.ownColour} value={colour ?? own}
          onChange={(event) => onChange(event.currentTarget.value)} />
      </div>
    </fieldset>
  );
}

interface SwatchProps {
  readonly colour: string;
  readonly label: string;
  readonly chosen: boolean;
  readonly onClick: () => void;
}

function Swatch({ colour, label, chosen, onClick }: SwatchProps) {
  return (
    <button type="button" class="swatch" aria-label={label} title={label} aria-pressed={chosen} onClick={onClick}>
      <span style={{ backgroundColor: colour, color: inkOn(colour) }}>{chosen && <Icon name="check" />}</span>
    </button>
  );
}
