import { useMemo } from 'preact/hooks';
import { podium, seatView } from '#game/round.ts';
import type { Podium, ProcessRow, Seat } from '#game/types.ts';
import type { RoomFacts, Session } from '../session/Session.ts';
import { grouped, t } from '../text/t.ts';
import { percent } from '../text/units.ts';
import { Swatch } from './Swatch.tsx';
import './PodiumPanel.css';

/** Places that the podium names. */
const PLACES = 3;
/** Rows of a column, however many share a place. */
const ROWS_MAX = 5;

/** The end of a round: most points, best citizen, the class; and one's own row without a rank that shames. */
export function PodiumPanel({ session }: { session: Session }) {
  const room = session.room.value;
  const round = session.round.value;
  const end = useMemo(() => (round === null ? null : podium(round)), [round, session.tick.value]);
  if (room === null || round === null || end === null) return <p class="waiting">{t('common.loading')}</p>;
  const own = end.rows.find((row) => row.seat === room.seat);
  const view = own === undefined ? null : seatView(round, own.seat);
  return (
    <div class="podium">
      <h1>{t('podium.head')}</h1>
      <div class="podium-columns">
        <Winners
          head={t('podium.points')}
          none={t('podium.nobodyPoints')}
          rows={first(end.points.filter(({ points }) => points > 0)).map(({ seat, points, place }) => ({
            seat,
            place,
            value: grouped(points),
            size: points,
          }))}
          room={room}
        />
        <Winners
          head={t('podium.citizen')}
          note={t('podium.citizenNote')}
          none={t('podium.nobody')}
          rows={first(end.citizen).map(({ seat, milli, place }) => ({ seat, place, value: percent(milli), size: milli }))}
          room={room}
        />
        <TheClass end={end} />
      </div>
      {room.role === 'host' && <Everybody rows={end.rows} room={room} />}
      {own !== undefined && <Own row={own} place={placeOf(own, view?.third ?? 3, round.scenario.ranks)} name={nameOf(own.seat, room)} />}
    </div>
  );
}

/** The first three places, and who shares the third with them. */
function first<Row extends { place: number }>(rows: readonly Row[]): Row[] {
  return rows.filter(({ place }) => place <= PLACES).slice(0, ROWS_MAX);
}

interface WinnersProps {
  head: string;
  note?: string;
  /** Said when there is no row. */
  none: string;
  /** `size` is what the bars compare. */
  rows: { seat: Seat; place: number; value: string; size: number }[];
  room: RoomFacts;
}

function Winners({ head, note, none, rows, room }: WinnersProps) {
  return (
    <section class="panel podium-winners">
      <h2>{head}</h2>
      <ol>
        {rows.map(({ seat, place, value, size }) => (
          <li key={seat} class={`place-${place}`} aria-current={seat === room.seat}>
            <span class="mono podium-place">{place}</span>
            <Swatch seat={seat} look={seat === room.seat ? 'swatch mine' : 'swatch'} />
            <span class="podium-name">{nameOf(seat, room)}</span>
            <span class="mono podium-value">{value}</span>
            <span class="bar" aria-hidden="true">
              <span style={{ width: `${Math.round((100 * Math.max(0, size)) / Math.max(1, rows[0]!.size))}%` }} />
            </span>
          </li>
        ))}
      </ol>
      {rows.length === 0 && <p class="podium-nobody">{none}</p>}
      {note !== undefined && rows.length > 0 && <p class="label podium-note">{note}</p>}
    </section>
  );
}

/** The class figure without a loss (game.md, Figures). */
const FIGURE_BEST = 100;

function TheClass({ end }: { end: Podium }) {
  const { figure, settled, dealt, kills } = end.class;
  return (
    <section class="panel podium-class">
      <h2>{t('podium.class')}</h2>
      <p class="mono podium-figure">
        {grouped(figure)}
        <small>{t('podium.ofBest', { n: FIGURE_BEST })}</small>
      </p>
      <p>{t('podium.settled', { n: settled, dealt })}</p>
      <p>{t('podium.kills', { n: kills })}</p>
      <p class="label podium-note">{t('podium.classNote', { n: FIGURE_BEST })}</p>
    </section>
  );
}

function Own({ row, place, name }: { row: ProcessRow; place: string | null; name: string }) {
  return (
    <section class="panel podium-own" aria-label={t('podium.own')}>
      <Swatch seat={row.seat} look="swatch mine" />
      <strong class="podium-name">{name}</strong>
      <dl class="row">
        <Fact name={t('podium.ownPoints')} value={grouped(row.points)} />
        <Fact name={t('podium.ownCitizen')} value={citizenOf(row)} />
        <Fact name={t('podium.ownKills')} value={grouped(row.kills)} />
      </dl>
      {place !== null && <span class="podium-third">{place}</span>}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt class="label">{name}</dt>
      <dd class="mono">{value}</dd>
    </div>
  );
}

/** The teacher's list, folded: the projector shows the podium alone. */
function Everybody({ rows, room }: { rows: readonly ProcessRow[]; room: RoomFacts }) {
  return (
    <details class="podium-all">
      <summary>{t('podium.everybody', { n: rows.length })}</summary>
      <table class="table">
        <thead>
          <tr>
            <th scope="col" class="num">
              #
            </th>
            <th scope="col">{t('podium.name')}</th>
            <th scope="col" class="num">
              {t('podium.listPoints')}
            </th>
            <th scope="col" class="num">
              {t('podium.ownCitizen')}
            </th>
            <th scope="col" class="num">
              {t('podium.ownKills')}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows
            .toSorted((a, b) => a.rank - b.rank || a.seat - b.seat)
            .map((row) => (
              <tr key={row.seat}>
                <td class="num">{row.rank}</td>
                <td>
                  <Swatch seat={row.seat} /> {nameOf(row.seat, room)}
                </td>
                <td class="num">{grouped(row.points)}</td>
                <td class="num">{citizenOf(row)}</td>
                <td class="num">{grouped(row.kills)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  );
}

/** One's own place as the scenario shows ranks; the last third is not named. */
function placeOf(row: ProcessRow, third: 1 | 2 | 3, ranks: 'thirds' | 'full' | 'none'): string | null {
  if (ranks === 'none') return null;
  if (ranks === 'full' || row.rank <= PLACES) return t('podium.rank', { n: row.rank });
  return third === 3 ? null : t(`podium.third${third}`);
}

/** Too few jobs make no figure. */
function citizenOf(row: ProcessRow): string {
  return row.citizenMilli > 0 ? percent(row.citizenMilli) : '–';
}

/** Who was kicked or left has no name any more. */
function nameOf(seat: Seat, room: RoomFacts): string {
  return room.roster.find((entry) => entry.seat === seat)?.name ?? t('podium.gone');
}
