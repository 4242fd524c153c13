import { effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { framesOfHolding, seatOfPid } from '#game/round.ts';
import type { MapHandle } from '../../scenes/startMap.ts';
import { theme } from '../../theme/theme.ts';
import { t } from '../../text/t.ts';
import { frameFacts } from '../../views/frameAt.ts';
import { mapColours } from '../../views/mapColours.ts';
import { ByHand } from './ByHand.tsx';
import { MapLegend } from './MapLegend.tsx';
import { MapMirror } from './MapMirror.tsx';
import { who } from './Mark.tsx';
import type { Play } from './play.ts';
import type { Seen } from './watchRound.ts';

/** How far all falls back that is not lit. */
const DIM = 0.68;
const ZOOM_STEP = 1.5;
/** Cells that Shift + arrow moves: a tile's side. */
const TILE = 32;
/** Milliseconds that the cursor rests before its frame is read out. */
const SPEAK_MS = 300;

/** The frame map with its keys, its legend and its words. */
export function MapPanel({ play, children }: { play: Play; children?: preact.ComponentChildren }) {
  const host = useRef<HTMLDivElement>(null);
  const cursor = useMemo(() => signal(-1), []);
  const map = useRef<MapHandle | null>(null);
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading');
  useEffect(() => hold(play, host.current!, cursor, (handle) => (map.current = handle), setState), [play]);
  return (
    <section class="map" aria-label={t('play.map.title')}>
      <div class="map-head">
        <MapLegend play={play} />
      </div>
      <div class="map-stage">
        <div
          ref={host}
          class="map-host"
          tabIndex={0}
          role="application"
          aria-roledescription={t('play.map.role')}
          aria-label={t('play.map.help')}
          onKeyDown={(event) => pressed(event, map.current)}
        />
        {state !== 'ready' && <p class="map-wait">{t(state === 'loading' ? 'common.loading' : 'play.map.failed')}</p>}
        <CursorLine play={play} cursor={cursor} />
        <div class="map-keys">
          <MapKey label={t('play.map.in')} sign="+" press={() => map.current?.zoomBy(ZOOM_STEP)} />
          <MapKey label={t('play.map.out')} sign="−" press={() => map.current?.zoomBy(1 / ZOOM_STEP)} />
          <MapKey label={t('play.map.fit')} sign="⤢" press={() => map.current?.fitAll()} />
        </div>
        {children}
      </div>
      <MapMirror play={play} />
    </section>
  );
}

function MapKey({ label, sign, press }: { label: string; sign: string; press(): void }) {
  return (
    <button type="button" class="map-key" aria-label={label} title={label} onClick={press}>
      {sign}
    </button>
  );
}

/** Loads the map, feeds it a shot a tick, and lets it sleep while nobody sees it. */
function hold(
  play: Play,
  host: HTMLElement,
  cursor: { value: number },
  give: (handle: MapHandle | null) => void,
  say: (state: 'ready' | 'failed') => void,
): () => void {
  const stops: (() => void)[] = [];
  let gone = false;
  import('../../scenes/startMap.ts').then(
    ({ startMap }) => {
      if (gone) return;
      const handle = startMap(host, mapColours(), { onHover: (pfn) => (cursor.value = pfn), onTap: () => lightOwner(play, cursor.value) });
      give(handle);
      say('ready');
      stops.push(
        effect(() => {
          const shot = shotOf(play);
          if (shot !== null) handle.show(shot);
        }),
        effect(() => {
          void theme.value;
          handle.recolour(mapColours());
        }),
        sleepUnseen(host, handle),
        () => handle.destroy(),
      );
    },
    () => !gone && say('failed'),
  );
  return () => {
    gone = true;
    give(null);
    for (const stop of stops) stop();
  };
}

function shotOf(play: Play) {
  const seen = play.seen.value;
  if (seen === null) return null;
  const { round } = seen;
  const spot = play.spot.value === null ? [] : framesOfHolding(round, play.seat, play.spot.value.holding);
  return {
    machine: round.machine,
    facts: play.session.facts,
    lookOf: play.looks.value,
    isMine: (pid: number) => play.seat >= 0 && seatOfPid(round, pid) === play.seat,
    spot,
    dim: play.lit.value === null && spot.length === 0 ? 0 : DIM,
  };
}

function sleepUnseen(host: HTMLElement, handle: MapHandle): () => void {
  let onScreen = true;
  const look = (): void => handle.sleep(document.hidden || !onScreen);
  const seen = new IntersectionObserver((entries) => {
    onScreen = entries.at(-1)?.isIntersecting ?? true;
    look();
  });
  seen.observe(host);
  document.addEventListener('visibilitychange', look);
  return () => {
    seen.disconnect();
    document.removeEventListener('visibilitychange', look);
  };
}

/** A tap on a frame lights all of its owner's; a tap on a free one, or the same again, puts the light out. */
function lightOwner(play: Play, pfn: number): void {
  const seen = play.seen.peek();
  const frame = seen === null ? null : frameFacts(seen.round.machine, pfn);
  const seat = frame === null || frame.owner <= 0 ? null : seatOfPid(seen!.round, frame.owner);
  play.lit.value = seat === play.lit.peek() ? null : seat;
}

const MOVES: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function pressed(event: KeyboardEvent, map: MapHandle | null): void {
  const move = MOVES[event.key];
  const step = event.shiftKey ? TILE : 1;
  if (map === null || event.ctrlKey || event.altKey || event.metaKey) return;
  if (move !== undefined) map.moveCursor(move[0] * step, move[1] * step);
  else if (event.key === '+' || event.key === '=') map.zoomBy(ZOOM_STEP);
  else if (event.key === '-') map.zoomBy(1 / ZOOM_STEP);
  else if (event.key === '0') map.fitAll();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** What the frame under the cursor is, shown at once and read out when the cursor rests. */
function CursorLine({ play, cursor }: { play: Play; cursor: ReadonlySignal<number> }) {
  const [spoken, speak] = useState('');
  const text = frameText(play, play.seen.value, cursor.value);
  const used = useRef(false);
  used.current ||= text !== '';
  useEffect(() => {
    const rest = setTimeout(() => speak(text), SPEAK_MS);
    return () => clearTimeout(rest);
  }, [text]);
  return (
    <p class={text === '' && used.current ? 'map-cursor none' : 'map-cursor'}>
      <span class={text === '' ? 'mono dim' : 'mono'} aria-hidden="true">
        {text || <ByHand key="hint" point={t('play.map.hint')} tap={t('play.map.hintTap')} />}
      </span>
      <span class="unseen" aria-live="polite">
        {spoken}
      </span>
    </p>
  );
}

function frameText(play: Play, seen: Seen | null, pfn: number): string {
  const frame = seen === null ? null : frameFacts(seen.round.machine, pfn);
  if (frame === null) return '';
  const seat = frame.owner <= 0 ? null : seatOfPid(seen!.round, frame.owner);
  const owner =
    frame.owner === -1
      ? ''
      : frame.owner === 0
        ? t('play.map.kernel')
        : seat === play.seat
          ? t('play.processes.you')
          : who(play, seat, frame.owner);
  const parts = [`pfn ${frame.pfn}`, frame.zone, owner, t(`play.map.use.${frame.use}`), t('play.map.order', { order: frame.order })];
  if (frame.mapcount > 1) parts.push(t('play.map.mapped', { n: frame.mapcount }));
  return parts.filter((part) => part !== '').join(' · ');
}
