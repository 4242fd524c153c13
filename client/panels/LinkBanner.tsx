import type { ReadonlySignal } from '@preact/signals';
import type { Link, Role, RoomFacts } from '../session/Session.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import './LinkBanner.css';

interface Parts {
  link: ReadonlySignal<Link>;
  room: ReadonlySignal<RoomFacts | null>;
  role: Role;
}

/**
 * Says when the room is not heard, and to a host when the server does not write it down. The place for it is always there,
 * so that a screen reader tells the change.
 */
export function LinkBanner({ link, room, role }: Parts) {
  const isUnlogged = role === 'host' && room.value?.unlogged === true;
  const says = link.value === 'lost' || link.value === 'behind' ? link.value : isUnlogged ? 'unlogged' : null;
  return (
    <div class={`link-banner ${says ?? ''}`} role="status" aria-live="assertive">
      {says === 'unlogged' && sentenceOf('UNLOGGED')}
      {says === 'lost' && t(role === 'player' ? 'common.link.lost' : 'common.link.lostHost')}
      {says === 'behind' && t('common.link.behind')}
    </div>
  );
}
