import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { KillCard } from '../panels/play/banners.tsx';
import { FreeListsPanel } from '../panels/play/FreeListsPanel.tsx';
import { HandPanel } from '../panels/play/HandPanel.tsx';
import { HeldPanel } from '../panels/play/HeldPanel.tsx';
import { LogPanel } from '../panels/play/LogPanel.tsx';
import { MapPanel } from '../panels/play/MapPanel.tsx';
import { MemoryPanel } from '../panels/play/MemoryPanel.tsx';
import { createPlay, type Play } from '../panels/play/play.ts';
import { PlayHeader } from '../panels/play/PlayHeader.tsx';
import { ProcessesPanel, TopThree } from '../panels/play/ProcessesPanel.tsx';
import { SpacePanel } from '../panels/play/SpacePanel.tsx';
import type { Seen } from '../panels/play/watchRound.ts';
import { YouPanel } from '../panels/play/YouPanel.tsx';
import { Tabs } from '../panels/Tabs.tsx';
import { EventsPanel } from '../panels/replay/EventsPanel.tsx';
import { FollowPicker } from '../panels/replay/FollowPicker.tsx';
import { KeysCard } from '../panels/replay/KeysCard.tsx';
import { listenReplayKeys } from '../panels/replay/keys.ts';
import { LinkKey } from '../panels/replay/LinkKey.tsx';
import { MomentPanel, Moments } from '../panels/replay/Moments.tsx';
import type { MomentName, Replay } from '../panels/replay/replay.ts';
import { Timeline } from '../panels/replay/Timeline.tsx';
import { Transport } from '../panels/replay/Transport.tsx';
import type { Recording } from '../session/recording.ts';
import { ReplaySession } from '../session/ReplaySession.ts';
import { openReplayDoor } from '../session/testDoor.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import '../panels/play/play.css';
import '../panels/replay/replay.css';

const TABS = ['map', 'story', 'class', 'machine'] as const;

interface DebriefProps {
  recording: Recording;
  /** Stands first at this tick; at the first, unless said otherwise. */
  at?: number;
  close(): void;
}

/** A round that is over, to be looked at: its timeline, its moments, and the whole machine at any tick of it. */
export function DebriefScreen({ recording, at, close }: DebriefProps) {
  const session = useMemo(() => new ReplaySession(recording), [recording]);
  const moment = useSignal<MomentName | null>(null);
  useEffect(() => {
    const shut = openReplayDoor(session);
    // Before the first tick nobody has a process.
    session.seek(at ?? session.first + 1);
    return () => {
      shut();
      session.leave();
    };
  }, [session]);
  const { followed } = session;
  const play = useMemo(() => createPlay(session, followed.value, true, sentenceOf), [session, followed.value]);
  useEffect(() => {
    session.tellAgain();
    return () => play.stop();
  }, [play]);
  const replay = useMemo(
    (): Replay => ({ session, moment, nameOf: (seat, pid) => play.nameOf(seat) || nameless(seat, pid) }),
    [session, play],
  );
  const seen = play.seen.value;
  if (seen === null) return <p class="waiting">{t('common.loading')}</p>;
  return <Debriefing replay={replay} play={play} seen={seen} close={close} />;
}

/** Who had no process at that moment is known by the seat alone. */
function nameless(seat: number | null, pid: number): string {
  if (pid > 0) return `PID ${pid}`;
  return seat === null ? t('replay.nobody') : t('replay.seat', { n: seat + 1 });
}

function Debriefing({ replay, play, seen, close }: { replay: Replay; play: Play; seen: Seen; close(): void }) {
  const [tab, setTab] = useState<(typeof TABS)[number]>('map');
  const [keys, showKeys] = useState(false);
  const back = (): void => {
    if (keys) showKeys(false);
    else if (replay.moment.peek() !== null) replay.moment.value = null;
    else if (play.lit.peek() !== null) play.lit.value = null;
    else replay.session.follow(-1);
  };
  useEffect(() => listenReplayKeys(replay, { close: back, keys: () => showKeys((shown) => !shown) }), [replay, play, keys]);
  const { mine, all } = seen;
  return (
    <main class={`play debrief tab-${tab}${mine === null ? '' : ' following'}`}>
      <PlayHeader play={play} seen={seen} clocked={false}>
        <span class="debrief-sign">{t('replay.sign')}</span>
        <button type="button" class="button small" onClick={close}>
          {t('replay.close')}
        </button>
      </PlayHeader>
      <Tabs names={TABS} area="replay" tab={tab} choose={setTab} />
      <Left replay={replay} play={play} seen={seen} />
      <MapPanel play={play}>
        {mine !== null && <KillCard play={play} mine={mine} />}
        {keys && <KeysCard close={() => showKeys(false)} />}
        <Notices replay={replay} />
      </MapPanel>
      <div class="right">
        <MemoryPanel play={play} machine={all.machine} />
        <FreeListsPanel play={play} machine={all.machine} marked={null} />
        <EventsPanel replay={replay} />
      </div>
      <div class="own">{mine !== null && <SpacePanel play={play} mine={mine} />}</div>
      <Moments replay={replay} />
      <div class="time">
        <Timeline replay={replay} />
        <Transport replay={replay}>
          <LinkKey replay={replay} />
          <button type="button" class="button small keys-key" aria-expanded={keys} onClick={() => showKeys(!keys)}>
            <kbd class="keycap">?</kbd> {t('replay.keys.title')}
          </button>
        </Transport>
      </div>
    </main>
  );
}

/** Whose round one sees, and their things: the class's, or one player's. */
function Left({ replay, play, seen: { mine, all, round } }: { replay: Replay; play: Play; seen: Seen }) {
  return (
    <div class="left">
      <FollowPicker replay={replay} all={all} />
      <MomentPanel replay={replay} />
      {mine === null ? (
        <>
          <ProcessesPanel play={play} all={all} />
          {round.scenario.ranks !== 'none' && <TopThree play={play} all={all} />}
        </>
      ) : (
        <div class="debrief-own">
          <YouPanel play={play} mine={mine} />
          <HandPanel play={play} pulsing={false} onWhy={() => {}} />
          <HeldPanel play={play} mine={mine} />
          <LogPanel play={play} />
        </div>
      )}
    </div>
  );
}

/** What is not as it should be: an end that differs, or a beginning that nobody kept. */
function Notices({ replay: { session } }: { replay: Replay }) {
  const lines: ComponentChildren[] = [];
  if (session.differs.value) lines.push(t('replay.differs'));
  if (session.first > 0) lines.push(t('replay.late', { n: Math.round(session.first / 10) }));
  if (lines.length === 0) return null;
  return (
    <div class="notice warn debrief-notice" role="alert">
      {lines.map((line, n) => (
        <p key={n}>{line}</p>
      ))}
    </div>
  );
}
