import { Rich } from '../Rich.tsx';

/** One sentence for who has keys and a pointer, another for a thumb; the style sheet shows the one that is true. */
export function ByHand({ point, tap }: { point: string; tap: string }) {
  return (
    <>
      <span class="by-key">
        <Rich text={point} />
      </span>
      <span class="by-thumb">{tap}</span>
    </>
  );
}
