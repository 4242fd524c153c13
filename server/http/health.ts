/** `/healthz`: 200 only when a room can be made now; it makes one, a room of nothing, and closes it. */
import { matchMaker } from '@colyseus/core';
import type { RequestHandler } from 'express';
import { ROOMS_MAX } from '#protocol/limits.ts';
import type { Logger } from '../log.ts';
import { PROBE } from '../rooms/ProbeRoom.ts';
import { refuse } from './refuse.ts';

/** A result is good for so long, so that asking often costs nothing. */
const FRESH_MS = 2000;

export function health(log: Logger): RequestHandler {
  let checked: { at: number; well: Promise<boolean> } | null = null;
  return async (_request, response) => {
    if (matchMaker.state !== matchMaker.MatchMakerState.READY) return refuse(response, 'STOPPING');
    const now = performance.now();
    if (checked === null || now - checked.at > FRESH_MS) checked = { at: now, well: canMakeRoom(log) };
    if (!(await checked.well)) return refuse(response, 'NO_ROOM_LEFT');
    response.set('Cache-Control', 'no-store').json({ ok: true });
  };
}

async function canMakeRoom(log: Logger): Promise<boolean> {
  if (matchMaker.stats.local.roomCount >= ROOMS_MAX) return false;
  try {
    const listing = await matchMaker.createRoom(PROBE, {});
    await matchMaker.getLocalRoomById(listing.roomId).disconnect();
    return true;
  } catch (error) {
    log.error({ err: error }, 'no room can be made');
    return false;
  }
}
