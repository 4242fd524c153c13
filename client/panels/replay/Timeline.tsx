import { useMemo } from 'preact/hooks';
import type { Mark } from '#game/chronicle.ts';
import { grouped, t } from '../../text/t.ts';
import { clock } from '../../text/units.ts';
import { tickOf, MOMENTS, type Replay } from './replay.ts';

/** Points of a curve: more cannot be told apart. */
const POINTS_MAX = 480;
const HEIGHT = 100;
/** Pixels above the foot at which the number of a moment stands, and how far the next stands above it where both are near. */
const MOMENT_FOOT = 16;
const MOMENT_STEP = 17;
/** Of the whole round: two numbers that are nearer would lie over each other on a phone. */
const NEAR = 0.05;

/** The whole round at a glance, with a handle that goes to any tick of it. */
export function Timeline({ replay }: { replay: Replay }) {
  const { session } = replay;
  const { first, last } = session;
  const tick = session.tick.value;
  const known = session.readTo.value;
  const { marks, managed } = session.chronicle;
  const share = (n: number): string => `${last === first ? 0 : ((n - first) / (last - first)) * 100}%`;
  const ticks = MOMENTS.map((name) => tickOf(replay, name));
  const free = session.chronicle.free[tick - first - 1];
  return (
    <div class="timeline">
      <div class="timeline-chart" aria-hidden="true">
        <Curves replay={replay} known={known} managed={managed} />
        {marks
          .filter((mark) => mark.kind === 'phase' && mark.phase !== 'over')
          .map((mark) => (
            <span key={`${mark.tick}`} class="timeline-phase" style={{ left: share(mark.tick) }}>
              {mark.kind === 'phase' && t(`play.phase.${mark.phase}`)}
            </span>
          ))}
        {marks.filter(isDrawn).map((mark, n) => (
          <span key={n} class={`timeline-mark ${mark.kind}`} style={{ left: share(mark.tick) }} />
        ))}
        {MOMENTS.map((name, n) => {
          const at = ticks[n]!;
          if (at === null) return null;
          // Of those that would lie over each other the later stands above the earlier.
          const level = ticks.slice(0, n).filter((other) => other !== null && Math.abs(other - at) < NEAR * (last - first)).length;
          const look = replay.moment.value === name ? 'timeline-moment chosen' : 'timeline-moment';
          return (
            <span key={name} class={look} style={{ left: share(at), bottom: `${MOMENT_FOOT + level * MOMENT_STEP}px` }}>
              {n + 1}
            </span>
          );
        })}
        {known < last && <span class="timeline-unread" style={{ left: share(known) }} />}
        <span class="timeline-now" style={{ left: share(tick) }} />
      </div>
      <input
        class="timeline-slider"
        type="range"
        min={first}
        max={last}
        step={1}
        value={tick}
        aria-label={t('replay.slider')}
        aria-valuetext={t('replay.at', { now: clock(tick), of: clock(last), free: free === undefined ? '–' : grouped(free) })}
        onInput={(event) => session.seek(Number(event.currentTarget.value))}
      />
    </div>
  );
}

function isDrawn({ kind }: Mark): boolean {
  return kind === 'killed' || kind === 'failed' || kind === 'crashed';
}

/** Free frames, and within them the largest block in a row: the gap between the two is fragmentation. */
function Curves({ replay, known, managed }: { replay: Replay; known: number; managed: number }) {
  const { session } = replay;
  const { first, last } = session;
  const paths = useMemo(() => {
    const { free, largest } = session.chronicle;
    const run = largest.map((order) => (order < 0 ? 0 : 1 << order));
    const high = Math.max(1, Math.min(managed, Math.max(...thinned(free, Math.max), 1) * 1.1));
    return { free: path(free, high), run: path(run, high) };
  }, [known, last]);
  return (
    <svg class="timeline-curves" viewBox={`0 0 ${Math.max(1, last - first)} ${HEIGHT}`} preserveAspectRatio="none">
      <path class="curve-free" d={paths.free} />
      <path class="curve-run" d={paths.run} />
    </svg>
  );
}

/** The least of each stretch, so that no short fall is lost. */
function thinned(values: readonly number[], choose: (...some: number[]) => number = Math.min): number[] {
  const stretch = Math.max(1, Math.ceil(values.length / POINTS_MAX));
  return Array.from({ length: Math.ceil(values.length / stretch) }, (_, n) => choose(...values.slice(n * stretch, (n + 1) * stretch)));
}

/** An area below steps, in ticks to the right and parts of HEIGHT up. */
function path(values: readonly number[], high: number): string {
  if (values.length === 0) return '';
  const stretch = Math.max(1, Math.ceil(values.length / POINTS_MAX));
  const steps = thinned(values).map((value, n) => {
    const y = Math.round(HEIGHT * (1 - value / high) * 10) / 10;
    return `V${y}H${Math.min(values.length, (n + 1) * stretch)}`;
  });
  return `M0 ${HEIGHT}${steps.join('')}V${HEIGHT}Z`;
}
