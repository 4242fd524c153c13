import { useEffect, useState } from 'preact/hooks';
import { askHere } from '../session/doors.ts';

const LOCAL = /^(localhost|127\.|\[::1\]|0\.0\.0\.0)/;

/** The address that other devices can use. A teacher's own machine is often open as localhost, which means nothing to them. */
export function useOrigin(): { origin: string; reachable: boolean } {
  const local = LOCAL.test(location.hostname);
  const [origin, setOrigin] = useState<string | null>(local ? null : location.origin);
  useEffect(() => {
    if (!local) return;
    void askHere().then((answer) => {
      if (answer.ok) setOrigin(answer.value.origins[0] ?? null);
    });
  }, [local]);
  return { origin: origin ?? location.origin, reachable: origin !== null };
}
