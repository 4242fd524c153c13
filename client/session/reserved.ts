/**
 * The seat that the join page was given, until the room's page comes in by it. Were it asked for anew, somebody whom the teacher
 * removed in between would be back at once, as a newcomer, and never hear of it.
 */
import type { SeatReply } from '#protocol/messages.ts';

let kept: { code: string; seat: SeatReply } | null = null;

export function keepReserved(code: string, seat: SeatReply): void {
  kept = { code, seat };
}

/** Once. */
export function takeReserved(code: string): SeatReply | null {
  const seat = kept !== null && kept.code === code ? kept.seat : null;
  kept = null;
  return seat;
}
