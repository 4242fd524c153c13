/** What a room answers to its sockets. Every message goes down one ladder of early returns. */
import type { Client, MessageContext } from '@colyseus/core';
import type { Code, RoomRefusal } from '#protocol/codes.ts';
import {
  HostMessage,
  InputMessage,
  PassMessage,
  ResyncMessage,
  type HostReply,
  type InputReply,
  type PassReply,
} from '#protocol/messages.ts';
import { sentenceOf } from '../sentences.ts';
import { actAsHost } from './hosting.ts';
import { isWatcher } from './roster.ts';
import type { RoundRoom } from './RoundRoom.ts';

export function onInput(room: RoundRoom, client: Client, message: unknown, context: MessageContext): InputReply | undefined {
  const parsed = InputMessage.safeParse(message);
  if (!parsed.success) return refuse(room, context, 'MALFORMED');
  const member = room.memberOf(client);
  if (member === null || member.client !== client || member.seat < 0) return refuse(room, context, 'NO_SEAT');
  if (member.watching) return refuse(room, context, 'WATCHING');
  if (room.phase !== 'running' || room.playing === null) return refuse(room, context, 'WRONG_PHASE');
  const { seq, action } = parsed.data;
  // Sent again after a doubt: it is queued already.
  if (seq <= member.ownSeq) return { queued: seq };
  // A bot that stood in has used this number; the welcome has said so.
  if (seq <= member.seq) return refuse(room, context, 'MALFORMED');
  if (!member.inputs.take()) return refuse(room, context, 'TOO_FAST');
  member.seq = member.ownSeq = seq;
  room.playing.queue({ type: 'act', seat: member.seat, seq, action });
  room.counted.input();
  return { queued: seq };
}

export function onHost(room: RoundRoom, client: Client, message: unknown, context: MessageContext): HostReply | undefined {
  const parsed = HostMessage.safeParse(message);
  if (!parsed.success) return refuse(room, context, 'MALFORMED');
  const member = room.memberOf(client);
  if (member === null || member.client !== client || member.role !== 'host') return refuse(room, context, 'NOT_HOST');
  if (!member.inputs.take()) return refuse(room, context, 'TOO_FAST');
  const refused = actAsHost(room, parsed.data.action);
  if (refused !== null) return refuse(room, context, refused);
  room.record.keep();
  room.log.info({ action: parsed.data.action.do, phase: room.phase }, 'host');
  return { done: true };
}

export function onResync(room: RoundRoom, client: Client, message: unknown, context: MessageContext): HostReply | undefined {
  if (!ResyncMessage.safeParse(message).success) return refuse(room, context, 'MALFORMED');
  const member = room.memberOf(client);
  if (member === null || member.client !== client) return refuse(room, context, 'NO_SEAT');
  if (room.playing === null) return refuse(room, context, 'WRONG_PHASE');
  if (!member.resyncs.take()) return refuse(room, context, 'TOO_FAST');
  room.log.warn({ tick: room.playing.ticks.length, seat: member.seat }, 'resync asked for');
  room.followAgain(client, true);
  return { done: true };
}

export function onPass(room: RoundRoom, client: Client, message: unknown, context: MessageContext): PassReply | undefined {
  if (!PassMessage.safeParse(message).success) return refuse(room, context, 'MALFORMED');
  const member = room.memberOf(client);
  // Who only watches has nothing to take along.
  if (member === null || member.client !== client || isWatcher(member)) return refuse(room, context, 'NO_SEAT');
  if (!member.inputs.take()) return refuse(room, context, 'TOO_FAST');
  return { pass: room.roster.givePass(member) };
}

function refuse(room: RoundRoom, context: MessageContext, code: Code): undefined {
  const refusal: RoomRefusal = { reason: code, sentence: sentenceOf(code) };
  room.counted.refused(code);
  context.reject(refusal);
  return undefined;
}
