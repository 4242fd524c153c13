import { useEffect, useState } from 'preact/hooks';

const STEP_MS = 100;

/** Whole seconds left. The room says what is left once a second; in between the page counts itself. */
export function Countdown({ ms }: { ms: number }) {
  const [left, setLeft] = useState(ms);
  useEffect(() => {
    const since = performance.now();
    setLeft(ms);
    const timer = setInterval(() => setLeft(ms - (performance.now() - since)), STEP_MS);
    return () => clearInterval(timer);
  }, [ms]);
  return <span class="mono">{Math.max(0, Math.ceil(left / 1000))}</span>;
}
