import { useRef } from 'preact/hooks';
import { t } from '../../text/t.ts';
import type { Play } from './play.ts';
import type { Seen } from './watchRound.ts';
import { who } from './Mark.tsx';

/** Ticks between two writings: a screen reader that stands in a table must not be chased. */
const EVERY = 10;

function Head({ columns }: { columns: readonly string[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th key={column} scope="col">
            {t(`play.mirror.${column}`)}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** What the canvas shows, as two tables that only a screen reader meets. */
export function MapMirror({ play }: { play: Play }) {
  const shown = useRef<Seen | null>(null);
  const now = play.seen.value;
  if (now === null || shown.current === null || now.tick < shown.current.tick || now.tick - shown.current.tick >= EVERY)
    shown.current = now;
  const seen = shown.current;
  if (seen === null) return null;
  return (
    <div class="unseen">
      <table>
        <caption>{t('play.mirror.zones')}</caption>
        <Head columns={['zone', 'first', 'frames', 'free']} />
        <tbody>
          {seen.all.machine.zones.map((zone) => (
            <tr key={zone.name}>
              <th scope="row">{zone.name}</th>
              <td>{zone.start}</td>
              <td>{zone.managed}</td>
              <td>{zone.free}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption>{t('play.mirror.processes')}</caption>
        <Head columns={['process', 'rss', 'held', 'badness', 'killRank']} />
        <tbody>
          {seen.all.processes.map((row) => (
            <tr key={row.seat}>
              <th scope="row">{row.seat === play.seat ? t('play.processes.you') : who(play, row.seat, row.pid)}</th>
              <td>{row.rss}</td>
              <td>{row.held}</td>
              <td>{row.badness}</td>
              <td>{row.killRank}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
