import { useRef } from 'preact/hooks';
import type { ClassView, ProcessRow, Seat } from '#game/types.ts';
import { framesShort } from '../../text/units.ts';
import { t } from '../../text/t.ts';
import { Mark } from './Mark.tsx';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';

/** All processes in the order in which the OOM killer would take them. A row lights its frames on the map. */
export function ProcessesPanel({ play, all }: { play: Play; all: ClassView }) {
  const { rows, hold } = useStill(all.processes);
  const most = rows.reduce((top, row) => Math.max(top, row.badness), 1);
  return (
    <Panel play={play} name="processes" title={t('play.processes.title')} aside={<span class="dim">{t('play.processes.by')}</span>}>
      <ol class="processes" {...hold}>
        {rows.map((row, place) => (
          // By place: rows that are moved in the document keep old styles in some browsers.
          <Process key={place} play={play} row={row} most={most} />
        ))}
      </ol>
    </Panel>
  );
}

/** In the order of the OOM killer; while somebody points at a row or stands on one, in the order that they see. */
function useStill(processes: readonly ProcessRow[]) {
  const held = useRef<readonly Seat[] | null>(null);
  const sorted = processes.toSorted((a, b) => Number(b.alive) - Number(a.alive) || a.killRank - b.killRank || a.seat - b.seat);
  const shown = useRef(sorted);
  const { current: order } = held;
  if (order === null) shown.current = sorted;
  else {
    const place = (row: ProcessRow): number => (order.includes(row.seat) ? order.indexOf(row.seat) : order.length);
    shown.current = processes.toSorted((a, b) => place(a) - place(b) || a.seat - b.seat);
  }
  const grab = (): void => void (held.current ??= shown.current.map((row) => row.seat));
  const release = (): void => void (held.current = null);
  return { rows: shown.current, hold: { onPointerEnter: grab, onPointerLeave: release, onFocusIn: grab, onFocusOut: release } };
}

function Process({ play, row, most }: { play: Play; row: ProcessRow; most: number }) {
  const lit = play.lit.value === row.seat;
  const mine = row.seat === play.seat;
  const next = row.alive && row.killRank === 1;
  const states = [mine && 'mine', lit && 'lit', next && 'next', !row.alive && 'dead'].filter(Boolean).join(' ');
  const name = mine ? t('play.processes.you') : play.nameOf(row.seat);
  const state = next ? t('play.processes.next') : row.alive ? '' : t('play.processes.dead');
  const label = [
    row.alive ? row.killRank : '',
    name,
    `PID ${row.pid}`,
    t('play.processes.badness', { badness: row.badness, rss: framesShort(row.rss) }),
    state,
  ]
    .filter((part) => part !== '')
    .join(', ');
  return (
    <li class={`process ${states}`}>
      <button type="button" aria-pressed={lit} aria-label={label} onClick={() => (play.lit.value = lit ? null : row.seat)}>
        <span class="process-rank mono">{row.alive ? row.killRank : '–'}</span>
        <Mark play={play} seat={row.seat} />
        <span class="process-name">
          {name || 'PID'}
          <small class="mono">{row.pid}</small>
        </span>
        <span class="process-badness mono" title={t('play.processes.badness', { badness: row.badness, rss: framesShort(row.rss) })}>
          {row.badness}
        </span>
        <span class="process-bar" aria-hidden="true">
          <span style={{ width: `${Math.max(0, (row.badness / most) * 100)}%` }} />
        </span>
        {next && <span class="process-tag">{t('play.processes.next')}</span>}
        {!row.alive && <span class="process-tag">{t('play.processes.dead')}</span>}
        {row.alive && !next && row.stalledTicks > 0 && <span class="process-tag quiet">{t('play.processes.stalled')}</span>}
      </button>
    </li>
  );
}

const TOP = 3;

/** The three with most points, where the scenario shows ranks. */
export function TopThree({ play, all }: { play: Play; all: ClassView }) {
  const top = all.processes.filter((row) => row.rank >= 1 && row.rank <= TOP).toSorted((a, b) => a.rank - b.rank || a.seat - b.seat);
  return (
    <section class="top-three" aria-label={t('play.top.title')}>
      <h2 class="label">{t('play.top.title')}</h2>
      <ol>
        {top.slice(0, TOP).map((row, place) => (
          <li key={place} class={row.seat === play.seat ? 'mine' : ''} title={play.nameOf(row.seat)}>
            <Mark play={play} seat={row.seat} />
            <span class="unseen">{row.seat === play.seat ? t('play.processes.you') : play.nameOf(row.seat) || row.pid}</span>
            <span class="mono">{row.points}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
