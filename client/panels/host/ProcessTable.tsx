import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClassView, ProcessRow, Seat } from '#game/types.ts';
import type { RoomFacts, RosterEntry } from '../../session/Session.ts';
import { grouped, t } from '../../text/t.ts';
import { Swatch } from '../Swatch.tsx';
import type { Hosting } from './hosting.ts';
import { kickedToast } from './people.tsx';
import './ProcessTable.css';

type Column = 'points' | 'rss' | 'badness';
const COLUMNS: Column[] = ['points', 'rss', 'badness'];
const KIB_PER_FRAME = 4;

interface TableProps {
  hosting: Hosting;
  room: RoomFacts;
  view: ClassView | null;
  /** Without names a row is its glyph and PID, for a projector. */
  names: boolean;
}

/** Every process, with what the teacher can do about it. */
export function ProcessTable({ hosting, room, view, names }: TableProps) {
  const [by, setBy] = useState<Column>('badness');
  const [capped, setCapped] = useState<ReadonlySet<Seat>>(new Set());
  const people = new Map(room.roster.filter((entry) => entry.seat >= 0).map((entry) => [entry.seat, entry]));
  const order = useOrder(view?.processes ?? [], by);
  const cap = (seat: Seat, on: boolean) => {
    const next = new Set(capped);
    if (on) next.add(seat);
    else next.delete(seat);
    setCapped(next);
    hosting.host({ do: 'cap', seat, on });
  };
  return (
    <div class="process-table" {...order.holding}>
      <table class="table">
        <caption class="unseen">{t('host.table.name')}</caption>
        <thead>
          <tr>
            <th scope="col" colSpan={2}>
              {t('host.table.process')}
            </th>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" class="num" aria-sort={by === column ? 'descending' : 'none'}>
                <button type="button" class={`sort ${by === column ? 'on' : ''}`} onClick={() => setBy(column)}>
                  {t(`host.table.${column}`)}
                  {by === column ? ' ↓' : ''}
                </button>
              </th>
            ))}
            <th scope="col">{t('host.table.state')}</th>
            <th scope="col">
              <span class="unseen">{t('host.table.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {order.rows.map((row) => (
            <Row
              key={row.seat}
              row={row}
              person={people.get(row.seat) ?? null}
              names={names}
              capped={capped.has(row.seat)}
              cap={(on) => cap(row.seat, on)}
              kick={(entry) => hosting.host({ do: 'kick', id: entry.id }, kickedToast(entry, room, hosting.host))}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Nothing moves for so long after the last touch of the table. */
const HOLD_MS = 3000;

/** The rows in order. While somebody points into the table they stand still: a press must not land on another process. */
function useOrder(processes: readonly ProcessRow[], by: Column) {
  const [held, setHeld] = useState<Column | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = useRef<Seat[]>([]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const hold = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setHeld(null), HOLD_MS);
    if (held !== by) setHeld(by);
  };
  const free = processes.toSorted((a, b) => b[by] - a[by] || a.killRank - b.killRank || a.seat - b.seat);
  const rows = held === by ? inOrder(free, last.current) : free;
  last.current = rows.map((row) => row.seat);
  return { rows, holding: { onPointerMove: hold, onPointerDown: hold, onKeyDown: hold } };
}

/** Newcomers come last. */
function inOrder(rows: readonly ProcessRow[], seats: readonly Seat[]): ProcessRow[] {
  const place = new Map(seats.map((seat, at) => [seat, at]));
  return rows.toSorted((a, b) => (place.get(a.seat) ?? seats.length) - (place.get(b.seat) ?? seats.length));
}

interface RowProps {
  row: ProcessRow;
  person: RosterEntry | null;
  names: boolean;
  capped: boolean;
  cap(on: boolean): void;
  kick(entry: RosterEntry): void;
}

function Row({ row, person, names, capped, cap, kick }: RowProps) {
  const pid = t('host.table.pid', { pid: String(row.pid) });
  const name = names && person !== null ? person.name : pid;
  const next = row.alive && row.killRank === 1;
  return (
    <tr class={`${next ? 'next-victim' : ''} ${row.alive ? '' : 'dead'}`}>
      <td class="cell-swatch">
        <Swatch seat={row.seat} />
      </td>
      <th scope="row" class="cell-name">
        <span>{name}</span>
        {names && <span class="label mono"> {row.alive ? row.pid : ''}</span>}
      </th>
      <td class="num">{grouped(row.points)}</td>
      <td class="num">
        {grouped(row.rss)} <span class="label">({grouped(row.rss * KIB_PER_FRAME)})</span>
      </td>
      <td class="num">{grouped(row.badness)}</td>
      <td class="cell-state">{stateOf(row, person)}</td>
      <td class="cell-actions">
        {person !== null && (
          <>
            <button
              type="button"
              class="button small"
              aria-pressed={capped}
              title={t('host.capSays')}
              aria-label={t('host.capName', { name })}
              onClick={() => cap(!capped)}
            >
              {t(capped ? 'host.capped' : 'host.cap')}
            </button>
            <button
              type="button"
              class="button quiet small"
              title={t('host.kick')}
              aria-label={t('host.kickName', { name })}
              onClick={() => kick(person)}
            >
              ✕
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

function stateOf(row: ProcessRow, person: RosterEntry | null): string {
  if (person === null) return t('host.state.gone');
  if (!row.alive) return t('host.state.killed');
  if (row.killRank === 1) return t('host.state.next');
  if (row.stalledTicks > 0) return t('host.state.stalled', { n: row.stalledTicks / 10 });
  if (row.bot !== null) return t('lobby.bot');
  return person.online ? '' : t('lobby.away');
}
