import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../text/t.ts';

interface LaterProps<T> {
  load(): Promise<T>;
  show(loaded: T): ComponentChildren;
}

/** Shows a part that is loaded when it is needed; a part that cannot be loaded says so and can be tried again. */
export function Later<T>({ load, show }: LaterProps<T>) {
  const [part, setPart] = useState<{ loaded: T } | 'failed' | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let here = true;
    load().then(
      (loaded) => here && setPart({ loaded }),
      () => here && setPart('failed'),
    );
    return () => void (here = false);
  }, [load, tries]);
  if (part === null) return <p class="waiting">{t('common.loading')}</p>;
  if (part === 'failed') {
    return (
      <div class="waiting" role="alert">
        <p>{t('common.codes.NO_LINK')}</p>
        <button type="button" class="button" onClick={() => (setPart(null), setTries(tries + 1))}>
          {t('common.again')}
        </button>
      </div>
    );
  }
  return <>{show(part.loaded)}</>;
}
