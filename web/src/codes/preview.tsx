/** A code as it will look at the till, drawn while it is typed. */
import { useEffect, useState } from 'preact/hooks';
import { words } from '../messages';
import type { Code, Drawn } from '../model';
import { codeLabel } from '../till/label';
import { Barcode } from './barcode';
import { Uncodable, type Misfit } from './formats';

type Made = { readonly drawn: Drawn; readonly code: Code } | { readonly misfit: Misfit };

export function Preview({ code }: { readonly code: Code | undefined }) {
  const made = useMade(code);
  const { confirm, misfit } = words();
  if (!code) return <div class="preview white"><p class="soft small">{confirm.noPreview}</p></div>;
  if (!made) return <div class="preview white" aria-busy="true" />;
  if ('misfit' in made) return <p class="fault" role="status">{misfit[made.misfit]}</p>;
  return (
    <figure class="preview white">
      <Barcode drawn={made.drawn} format={made.code.format} label={codeLabel(made.code)} share={0.13} />
      <figcaption class="unseen">{confirm.preview}</figcaption>
    </figure>
  );
}

function useMade(code: Code | undefined): Made | undefined {
  const [made, setMade] = useState<Made>();
  useEffect(() => {
    let wanted = true;
    if (!code) setMade(undefined);
    else void make(code).then((next) => wanted && setMade(next));
    return () => {
      wanted = false;
    };
  }, [code?.format, code?.raw, code?.gs1, code?.encoding]);
  return made;
}

async function make(code: Code): Promise<Made> {
  try {
    return { drawn: await (await drawing()).draw(code), code };
  } catch (error) {
    return { misfit: error instanceof Uncodable ? error.reason : 'unsupported' };
  }
}

/** The whole module, so that its `svg` stays in the built file for whoever checks drawings in a browser. */
function drawing(): Promise<typeof import('./draw')> {
  return import('./draw');
}
