import { useEffect, useMemo } from 'preact/hooks';
import type { Seat } from '#game/types.ts';
import type { Session } from '../../session/Session.ts';
import { sentenceOf } from '../../text/sentence.ts';
import { t } from '../../text/t.ts';
import { FreeListsPanel } from './FreeListsPanel.tsx';
import { MapPanel } from './MapPanel.tsx';
import { MemoryPanel } from './MemoryPanel.tsx';
import { createPlay } from './play.ts';
import type { Play } from './play.ts';
import './play.css';

interface MachineProps {
  session: Session;
  seat: Seat | null;
  /** Lends what the panel knows (hues, the lit seat) to what stands beside it. */
  lend?(play: Play): void;
}

/** The machine for somebody who watches, such as a teacher: the map, free memory against its marks, the free lists. */
export function MachinePanel({ session, seat, lend }: MachineProps) {
  const play = useMemo(() => createPlay(session, seat ?? -1, true, sentenceOf), [session, seat]);
  useEffect(() => {
    lend?.(play);
    return () => play.stop();
  }, [play]);
  const seen = play.seen.value;
  return (
    <div class="play machine-panel">
      <MapPanel play={play} />
      {seen === null ? (
        <p class="waiting">{t('common.loading')}</p>
      ) : (
        <div class="machine-side">
          <MemoryPanel play={play} machine={seen.all.machine} />
          <FreeListsPanel play={play} machine={seen.all.machine} marked={null} />
        </div>
      )}
    </div>
  );
}
