import type { ClassView } from '#game/types.ts';
import { glyphOf } from '../../theme/owners.ts';
import { t } from '../../text/t.ts';
import type { Replay } from './replay.ts';

/** Whose round one sees: the class's, or one player's. */
export function FollowPicker({ replay, all }: { replay: Replay; all: ClassView | null }) {
  const { session, nameOf } = replay;
  const pidOf = (seat: number): number => all?.processes.find((row) => row.seat === seat)?.pid ?? 0;
  const points = (seat: number): string => {
    const row = all?.processes.find((one) => one.seat === seat);
    return row === undefined ? '' : ` · ${t('replay.points', { n: row.points })}`;
  };
  return (
    <label class="follow">
      <span class="label">
        {t('replay.follow')} <kbd class="keycap">F</kbd>
      </span>
      <select
        class="input"
        value={session.followed.value}
        onChange={(event) => {
          session.follow(Number(event.currentTarget.value));
          event.currentTarget.blur();
        }}
      >
        <option value={-1}>{t('replay.everybody')}</option>
        {session.seats.map((seat) => (
          <option key={seat} value={seat}>
            {`${glyphOf(seat)} ${nameOf(seat, pidOf(seat))}${points(seat)}`}
          </option>
        ))}
      </select>
    </label>
  );
}
