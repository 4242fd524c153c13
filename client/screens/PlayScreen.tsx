import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Intro, KillCard, StallBanner, WhyCard } from '../panels/play/banners.tsx';
import { ByHand } from '../panels/play/ByHand.tsx';
import { FreeListsPanel } from '../panels/play/FreeListsPanel.tsx';
import { HandPanel } from '../panels/play/HandPanel.tsx';
import { HeldPanel } from '../panels/play/HeldPanel.tsx';
import { HeldLine } from '../panels/play/HeldLine.tsx';
import { listenPlayKeys } from '../panels/play/keys.ts';
import { LogPanel } from '../panels/play/LogPanel.tsx';
import { MapPanel } from '../panels/play/MapPanel.tsx';
import { MemoryPanel } from '../panels/play/MemoryPanel.tsx';
import { hasPlayed, rememberPlayed } from '../panels/play/opening.ts';
import { createPlay } from '../panels/play/play.ts';
import type { Play } from '../panels/play/play.ts';
import type { Seen } from '../panels/play/watchRound.ts';
import { PlayHeader } from '../panels/play/PlayHeader.tsx';
import { Tabs } from '../panels/Tabs.tsx';
import { ProcessesPanel, TopThree } from '../panels/play/ProcessesPanel.tsx';
import { SpacePanel } from '../panels/play/SpacePanel.tsx';
import { TrayPanel } from '../panels/play/TrayPanel.tsx';
import { KillRank, YouPanel } from '../panels/play/YouPanel.tsx';
import type { Session } from '../session/Session.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import '../panels/play/play.css';

const TABS = ['map', 'own', 'machine', 'class'] as const;

/** Milliseconds of the introduction, unless the player acts before. */
const INTRO_MS = 10_000;

/** A round, for somebody who has a process in it. `menu` stands in the header. */
export default function PlayScreen({ session, menu }: { session: Session; menu?: ComponentChildren }) {
  const seat = session.room.value?.seat ?? -1;
  const known = useMemo(hasPlayed, []);
  const play = useMemo(() => createPlay(session, seat, known, sentenceOf), [session, seat]);
  useEffect(() => () => play.stop(), [play]);
  const seen = play.seen.value;
  if (seen === null || seen.mine === null) return <p class="waiting">{t('common.loading')}</p>;
  return <Playing play={play} seen={seen} known={known} menu={menu} />;
}

function Playing({ play, seen, known, menu }: { play: Play; seen: Seen; known: boolean; menu: ComponentChildren }) {
  const mine = seen.mine!;
  const [why, showWhy] = useState(false);
  const [tab, setTab] = useState<(typeof TABS)[number]>('map');
  const intro = useIntro(play, known);
  useEffect(
    () =>
      listenPlayKeys(play, {
        why: () => showWhy((shown) => !shown),
        close: () => (showWhy(false), (play.lit.value = null), (play.spot.value = null)),
      }),
    [play],
  );
  const paused = play.session.room.value?.phase === 'paused';
  return (
    <main class={`play tab-${tab}${intro.on ? ' introducing' : ''}${mine.alive ? '' : ' dead'}`}>
      <PlayHeader play={play} seen={seen}>
        {menu}
      </PlayHeader>
      <Tabs names={TABS} area="play" tab={tab} choose={setTab}>
        <KillRank mine={mine} />
      </Tabs>
      <div class="left">
        <ProcessesPanel play={play} all={seen.all} />
        {seen.round.scenario.ranks !== 'none' && <TopThree play={play} all={seen.all} />}
        <LogPanel play={play} />
      </div>
      <MapPanel play={play}>
        {intro.on && <Intro play={play} mine={mine} onDone={intro.end} />}
        <KillCard play={play} mine={mine} />
        {why && <WhyCard play={play} onClose={() => showWhy(false)} />}
        {paused && <Veil>{t('play.paused')}</Veil>}
      </MapPanel>
      <div class="right">
        <YouPanel play={play} mine={mine} />
        <MemoryPanel play={play} machine={seen.all.machine} />
        <FreeListsPanel
          play={play}
          machine={seen.all.machine}
          marked={mine.tray.some((tool) => tool.takesOrder) ? play.order.value : null}
        />
      </div>
      <div class="own">
        <HeldPanel play={play} mine={mine} />
        <SpacePanel play={play} mine={mine} />
      </div>
      <HeldLine play={play} mine={mine} />
      <HandPanel play={play} pulsing={intro.on} onWhy={() => showWhy(true)} />
      <div class="calls">
        <StallBanner mine={mine} />
        <NoticeLine play={play} last={seen.all.phase === 'last'} fits={(play.card.value?.reusable.length ?? 0) > 0} />
        <TrayPanel play={play} mine={mine} />
      </div>
    </main>
  );
}

function Veil({ children }: { children: ComponentChildren }) {
  return (
    <p class="veil" role="status">
      {children}
    </p>
  );
}

/** The last word of the game about a key that was pressed; in the last seconds, what to do. */
function NoticeLine({ play, last, fits }: { play: Play; last: boolean; fits: boolean }) {
  const notice = play.notice.value;
  const [shown, show] = useState(0);
  useEffect(() => {
    if (notice === null) return;
    show(notice.id);
    const gone = setTimeout(() => show(0), 3000);
    return () => clearTimeout(gone);
  }, [notice]);
  if (notice !== null && notice.id === shown) {
    return (
      <p class={`say ${notice.kind}`} role="status">
        {notice.text}
      </p>
    );
  }
  if (last) return <p class="say bad">{t('play.say.last')}</p>;
  return (
    <p class={fits ? 'say good' : 'say'}>
      {fits ? (
        <ByHand point={t('play.say.fits')} tap={t('play.say.fitsTap')} />
      ) : (
        <ByHand point={t('play.say.idle')} tap={t('play.say.idleTap')} />
      )}
    </p>
  );
}

/** On in the first seconds of somebody's first round, until they act. One's own frames are lit meanwhile. */
function useIntro(play: Play, known: boolean): { on: boolean; end(): void } {
  const [on, set] = useState(!known);
  const end = (): void => {
    set(false);
    if (play.lit.peek() === play.seat) play.lit.value = null;
    rememberPlayed();
  };
  useEffect(() => {
    if (!on) return;
    play.lit.value = play.seat;
    const over = setTimeout(end, INTRO_MS);
    const acted = play.sent.subscribe((sent) => sent !== null && end());
    return () => {
      clearTimeout(over);
      acted();
    };
  }, [on]);
  return { on, end };
}
