/** The drawn modules of a card, read from the device whenever a new drawing was made. */
import { useEffect, useState } from 'preact/hooks';
import type { Card, Drawn } from '../model';
import { drawings, drawn } from '../wallet';

/** One per code, null where it cannot be drawn; undefined until they are read. */
export function useDrawings(card: Card | undefined): readonly (Drawn | null)[] | undefined {
  const [known, setKnown] = useState<{ id: string; list: readonly (Drawn | null)[] }>();
  const id = card?.id;
  const made = drawings.value;
  useEffect(() => {
    let wanted = true;
    if (id) void drawn(id).then((list) => wanted && setKnown({ id, list }));
    return () => {
      wanted = false;
    };
  }, [id, card?.codes, made]);
  return known && known.id === id ? known.list : undefined;
}
