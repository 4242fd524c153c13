import type { ReadonlySignal } from '@preact/signals';
import type { Link, Role } from '../session/Session.ts';
import { t } from '../text/t.ts';
import './LinkBanner.css';

/** Says when the room is not heard. The place for it is always there, so that a screen reader tells the change. */
export function LinkBanner({ link, role }: { link: ReadonlySignal<Link>; role: Role }) {
  const says = link.value === 'lost' || link.value === 'behind' ? link.value : null;
  return (
    <div class={`link-banner ${says ?? ''}`} role="status" aria-live="assertive">
      {says !== null && t(says === 'lost' && role !== 'player' ? 'common.link.lostHost' : `common.link.${says}`)}
    </div>
  );
}
