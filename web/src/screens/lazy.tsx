/** A screen whose code is fetched when it is first shown. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { words } from '../messages';
import { Screen } from './screen';

/** `begin` asks for the code ahead of showing it, and is over when that is here or cannot be had. */
export type Lazy<Props> = ComponentType<Props> & { readonly begin: () => Promise<void> };

export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): Lazy<Props> {
  let loaded: ComponentType<Props> | undefined;
  let loading: Promise<void> | undefined;
  const fetched = (): Promise<void> => (loading ??= load().then(taken).finally(() => (loading = undefined)));
  const taken = (component: ComponentType<Props>) => void (loaded = component);
  const begin = () => fetched().catch(() => undefined);
  return Object.assign(LazyScreen, { begin });

  function LazyScreen(props: Props) {
    const [state, setState] = useState<'loading' | 'failed' | 'ready'>(loaded ? 'ready' : 'loading');
    const [attempt, setAttempt] = useState(0);
    useEffect(() => {
      if (loaded) return;
      fetched().then(() => setState('ready'), () => setState('failed'));
    }, [attempt]);
    if (loaded) return <>{[loaded].map((Loaded) => <Loaded key="loaded" {...props} />)}</>;
    return state === 'failed' ? <Failed onRetry={() => setAttempt(attempt + 1)} /> : <div class="pane" role="main" />;
  }
}

/** A part of a screen whose code is fetched when it is first shown; until then, or without it, nothing stands there. */
export function part<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Part(props: Props) {
    const [, show] = useState(false);
    useEffect(() => {
      if (!loaded) void load().then((component) => show(!!(loaded = component)), () => undefined);
    }, []);
    return loaded ? <>{[loaded].map((Loaded) => <Loaded key="loaded" {...props} />)}</> : null;
  };
}

function Failed({ onRetry }: { readonly onRetry: () => void }) {
  const { problems, common } = words();
  return (
    <Screen title={problems['offline']!}>
      <button type="button" class="button" onClick={onRetry}>{common.again}</button>
    </Screen>
  );
}
