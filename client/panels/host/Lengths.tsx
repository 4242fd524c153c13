import { t } from '../../text/t.ts';

const CHOICES = [60, 120, 180, 300, 480, 600];

interface LengthsProps {
  seconds: number;
  /** The scenario's own length. */
  own: number;
  choose(seconds: number): void;
}

/** How long a round lasts. */
export function Lengths({ seconds, own, choose }: LengthsProps) {
  const choices = [...new Set([...CHOICES, own, seconds])].toSorted((a, b) => a - b);
  return (
    <div class="row" role="group">
      {choices.map((choice) => (
        <button key={choice} type="button" class="button" aria-pressed={choice === seconds} onClick={() => choose(choice)}>
          {choice < 60 ? t('host.seconds', { n: choice }) : t('host.minutes', { n: Math.round(choice / 6) / 10 })}
        </button>
      ))}
    </div>
  );
}
