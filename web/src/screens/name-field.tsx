/** A field for the name of a household or of somebody in it. */
const LONGEST = 40;

interface NameFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
  readonly value?: string | undefined;
}

export function NameField({ id, label, hint, fault, value }: NameFieldProps) {
  const said = fault ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input class="input" id={id} name={id} data-testid={id} maxLength={LONGEST} defaultValue={value}
        autocomplete={id === 'own-name' ? 'given-name' : 'off'} aria-invalid={fault ? true : undefined}
        aria-describedby={said ? `${id}-said` : undefined} />
      {said && <p id={`${id}-said`} class={fault ? 'fault' : 'hint'} role={fault ? 'alert' : undefined}>{said}</p>}
    </div>
  );
}
