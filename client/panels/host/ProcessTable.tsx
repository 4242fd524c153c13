import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClassView, ProcessRow, Seat } from '#game/types.ts';
import type { RoomFacts, RosterEntry } from '../../session/Session.ts';
import { grouped, t } from '../../text/t.ts';
import { swatchClass, type Hues } from '../../views/owners.ts';
import type { Play } from '../play/play.ts';
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
  /** What the map knows: its hues, and the seat that it lights. */
  play: Play | null;
}

const NO_HUES: Hues = new Map();

/** Every process, with what the teacher can do about it. A row that is pointed at is lit on the map. */
export function ProcessTable({ hosting, room, view, names, play }: TableProps) {
  const [by, setBy] = useState<Column>('badness');
  const hues = play?.hues.value ?? NO_HUES;
  const people = new Map(room.roster.filter((entry) => entry.seat >= 0).map((entry) => [entry.seat, entry]));
  const order = useOrder(view?.processes ?? [], by);
  const light = useLight(play, order.rows);
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
          {order.rows.map((row, place) => (
            <Row
              // By place: rows that are moved in the document keep old styles in some browsers.
              key={place}
              row={row}
              person={people.get(row.seat) ?? null}
              names={names}
              look={swatchClass(row.seat, -1, hues)}
              light={(on) => light(on ? place : null)}
              cap={(on) => hosting.host({ do: 'cap', seat: row.seat, on })}
              kick={(entry) => hosting.host({ do: 'kick', id: entry.id }, kickedToast(entry, room, hosting.host))}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Lights on the map whatever row lies at the place that is pointed at. */
function useLight(play: Play | null, rows: readonly ProcessRow[]) {
  const [place, point] = useState<number | null>(null);
  const seat: Seat | null = place === null ? null : (rows[place]?.seat ?? null);
  const before = useRef(seat);
  useEffect(() => {
    if (play !== null && before.current !== seat) play.lit.value = seat;
    before.current = seat;
  }, [play, seat]);
  return point;
}

/** Nothing moves for so long after the last touch of the table. */
const HOLD_MS = 3000;

/** The rows in order. While somebody points into the table, or the keyboard stands in it, they stand still: a press must not land on another process. */
function useOrder(processes: readonly ProcessRow[], by: Column) {
  const [held, setHeld] = useState<Column | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = useRef<Seat[]>([]);
  const table = useRef<HTMLDivElement>(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const wait = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => (table.current?.querySelector('tbody :focus-visible') ? wait() : setHeld(null)), HOLD_MS);
  };
  const hold = () => {
    wait();
    if (held !== by) setHeld(by);
  };
  const free = processes.toSorted((a, b) => b[by] - a[by] || a.killRank - b.killRank || a.seat - b.seat);
  const rows = held === by ? inOrder(free, last.current) : free;
  last.current = rows.map((row) => row.seat);
  return { rows, holding: { ref: table, onPointerMove: hold, onPointerDown: hold, onKeyDown: hold, onFocusCapture: hold } };
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
  /** Class names of the swatch. */
  look: string;
  light(on: boolean): void;
  cap(on: boolean): void;
  kick(entry: RosterEntry): void;
}

function Row({ row, person, names, look, light, cap, kick }: RowProps) {
  const pid = t('host.table.pid', { pid: String(row.pid) });
  const name = names && person !== null ? person.name : pid;
  const next = row.alive && row.killRank === 1;
  return (
    <tr
      class={`${next ? 'next-victim' : ''} ${row.alive ? '' : 'dead'}`}
      onPointerEnter={() => light(true)}
      onPointerLeave={() => light(false)}
      onFocusCapture={() => light(true)}
      onBlurCapture={() => light(false)}
    >
      <td class="cell-swatch">
        <Swatch seat={row.seat} look={look} />
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
              aria-pressed={row.capped}
              title={t('host.capSays')}
              aria-label={t('host.capName', { name })}
              onClick={() => cap(!row.capped)}
            >
              {t(row.capped ? 'host.capped' : 'host.cap')}
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
