import type { ReadonlySignal } from '@preact/signals';
import type { Link } from '../session/Session.ts';
import { t } from '../text/t.ts';
import './LinkBanner.css';

/** Says when the room is not heard. The place for it is always there, so that a screen reader tells the change. */
export function LinkBanner({ link }: { link: ReadonlySignal<Link> }) {
  const says = link.value === 'lost' || link.value === 'behind' ? link.value : null;
  return (
    <div class={`link-banner ${says ?? ''}`} role="status" aria-live="assertive">
      {says !== null && t(`common.link.${says}`)}
    </div>
  );
}
