import type { HostAction, Session } from '../../session/Session.ts';
import type { ToastText } from '../Toast.tsx';

/** What the parts of the console need: the session, and a way to act whose refusals and side effects are said in one place. */
export interface Hosting {
  session: Session;
  /** `said`: what to tell when it is done. */
  host(action: HostAction, said?: ToastText): void;
}
