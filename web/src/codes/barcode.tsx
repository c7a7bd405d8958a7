/** A code on the page: as many whole device pixels per module as fit the width, black on white. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Drawn, Format } from '../model';
import { path, quietZone, turned, type Quiet } from './svg';

interface BarcodeProps {
  readonly drawn: Drawn;
  readonly format: Format;
  /** Said to screen readers. */
  readonly label: string;
  /** The code may be as high as this share of the window; linear ones are as high as half their width. */
  readonly share?: number;
  /** Whether a code too long for the width may be turned along the height. */
  readonly mayTurn?: boolean;
  readonly onTurned?: (turned: boolean) => void;
}

export function Barcode({ drawn, format, label, share = 0.5, mayTurn = false, onTurned }: BarcodeProps) {
  const [box, size] = useSize();
  const fit = size && fitted(drawn, quietZone(format, drawn.kind), size, share, mayTurn);
  const isTurned = fit ? fit.turned : false;
  useLayoutEffect(() => onTurned?.(isTurned), [isTurned, onTurned]);
  return (
    <div class="code-box" ref={box}>
      {fit && (
        <svg class="code" data-testid="code" data-format={format} data-turned={fit.turned || undefined} role="img"
          aria-label={label}
          width={fit.width} height={fit.height} viewBox={`0 0 ${fit.width} ${fit.height}`} shape-rendering="crispEdges">
          <rect width={fit.width} height={fit.height} fill="#fff" />
          <path fill="#000" d={path(fit.drawn, 0, 0, fit.tall)}
            transform={`translate(${fit.left} ${fit.top}) scale(${fit.across} ${fit.down})`} />
        </svg>
      )}
    </div>
  );
}

interface Size { readonly width: number; readonly height: number; readonly ratio: number }
interface Fit {
  readonly drawn: Drawn;
  readonly turned: boolean;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number; readonly across: number; readonly down: number; readonly tall: number;
}

/** CSS pixels under which a module is hard for a reader and turning the code is worth it. */
const SMALL_MODULE = 2;
const WORTH_TURNING = 1.3;
const BARS_PER_WIDTH = 0.42;
/** A turned code may fill the page: its number stands beside it. */
const TURNED_SHARE = 0.84;

/** Sizes in CSS pixels; a module is a whole number of device pixels. */
export function fitted(drawn: Drawn, quiet: Quiet, size: Size, share: number, mayTurn: boolean): Fit {
  const high = size.height * share;
  const straight = laid(drawn, quiet, size.width, high, size.ratio);
  if (!mayTurn || straight.module >= SMALL_MODULE) return straight.fit;
  const along = laid(drawn, quiet, size.height * TURNED_SHARE, size.width * 0.7, size.ratio);
  return along.module >= straight.module * WORTH_TURNING ? quarterTurn(along.fit) : straight.fit;
}

function laid(drawn: Drawn, quiet: Quiet, wide: number, high: number, ratio: number): { module: number; fit: Fit } {
  const columns = drawn.width + quiet.left + quiet.right;
  const rows = drawn.height + quiet.top + quiet.bottom;
  const most = drawn.kind === 'linear' ? wide / columns : Math.min(wide / columns, high / rows);
  const module = Math.max(1, Math.floor(most * ratio + 1e-6)) / ratio;
  const width = columns * module;
  const bars = Math.round(Math.min(high, Math.max(width * BARS_PER_WIDTH, 80)) * ratio) / ratio;
  const linear = drawn.kind === 'linear';
  const fit: Fit = {
    drawn, turned: false, width, height: linear ? bars : rows * module, left: quiet.left * module,
    top: quiet.top * module,
    across: module, down: linear ? bars : module, tall: 1,
  };
  return { module, fit };
}

function quarterTurn(fit: Fit): Fit {
  const bottom = fit.height - fit.top - fit.drawn.height * fit.down;
  return {
    ...fit, drawn: turned(fit.drawn), turned: true, width: fit.height, height: fit.width, left: bottom, top: fit.left,
    across: fit.down, down: fit.across,
  };
}

function useSize() {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>();
  useLayoutEffect(() => {
    const measure = () => {
      setSize({ width: box.current!.clientWidth, height: innerHeight, ratio: devicePixelRatio || 1 });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    addEventListener('resize', measure);
    return () => {
      observer.disconnect();
      removeEventListener('resize', measure);
    };
  }, []);
  return [box, size] as const;
}
