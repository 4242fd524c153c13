import { useEffect, useState } from 'preact/hooks';

interface SurePressProps {
  text: string;
  /** What the button says after the first press. */
  sure: string;
  press(): void;
}

const PATIENCE_MS = 4000;

/** A button for what cannot be taken back: the second press within four seconds counts. No dialog, works with every input. */
export function SurePress({ text, sure, press }: SurePressProps) {
  const [armed, setArmed] = useState(false);
  useEffect(() => {
    if (!armed) return;
    const timer = setTimeout(() => setArmed(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [armed]);
  return (
    <button
      type="button"
      class={`button sure-press ${armed ? 'grave' : ''}`}
      aria-live="polite"
      onBlur={() => setArmed(false)}
      onClick={() => {
        if (armed) press();
        setArmed(!armed);
      }}
    >
      {armed ? sure : text}
    </button>
  );
}
