/**
 * Who is in a room: people by the digest of their device's secret, and bots; their names and seats. It mirrors itself
 * into the synchronised state. It knows nothing of rounds, but which seat numbers one has used up.
 */
import type { Client } from '@colyseus/core';
import type { BotName, Seat } from '#game/types.ts';
import type { Code } from '#protocol/codes.ts';
import {
  DEVICES_MAX,
  INPUTS_BURST,
  INPUTS_PER_SECOND,
  PEOPLE_MAX,
  RESYNC_BURST,
  RESYNC_SECONDS,
  RETURNS_BURST,
  RETURNS_PER_SECOND,
  SCREENS_MAX,
  SEAT_NUMBERS_MAX,
  SPECTATORS_MAX,
} from '#protocol/limits.ts';
import type { Role } from '#protocol/messages.ts';
import { checkName, lookAlikeKey, makeName } from '#protocol/names.ts';
import { Person, type RoomState } from '#protocol/roomState.ts';
import { randomBelow, randomId, sameDigest, type Digest } from '../secrets.ts';
import { Budget } from './budget.ts';
import { Passes } from './passes.ts';
import type { readPerson, SavedRoom } from './saved.ts';
import type { Slowness } from './slow.ts';

/** A host's name in the roster; people see their own language's word for the role. */
const HOST_NAME = 'Host';
const WATCHERS_MAX = { spectator: SPECTATORS_MAX, screen: SCREENS_MAX };

export interface Member {
  readonly id: string;
  readonly role: Role;
  readonly bot: BotName | null;
  /** '' for bots. */
  readonly digest: Digest;
  /** Other devices of the same person, let in by passes; those of a host are the room's own. */
  also: readonly Digest[];
  readonly seat: Seat;
  name: string;
  /** The one socket that counts, or null. */
  client: Client | null;
  /** When the last socket left, or the seat was given and nobody has come yet; ms. */
  awaySince: number;
  /** Whether a socket ever came. */
  arrived: boolean;
  /** The highest sequence number queued, and the highest of those that the person sent: a bot that stands in takes numbers too. */
  seq: number;
  ownSeq: number;
  /** The page of this member is too slow to play: it watches. Coming in anew ends that. */
  watching: boolean;
  slow: Slowness;
  readonly inputs: Budget;
  readonly resyncs: Budget;
  /** Seats asked for again: each reserves a socket for a while. */
  readonly returns: Budget;
  readonly entry: Person;
}

export interface SeatRequest {
  digest: Digest;
  role: Role;
  name?: string | undefined;
  pass?: string | undefined;
}

export type Seated = { ok: true; id: string; role: Role; seat: Seat; name: string } | { ok: false; code: Code };

export class Roster {
  private readonly state: RoomState;
  /** The device that made the room, and those that it let in to host, the newest last. */
  private hostDigests: readonly Digest[];
  private readonly passes = new Passes();
  private readonly members = new Map<string, Member>();
  /** Seat numbers of this round that are not to be given again: their process is gone. */
  private readonly spent = new Set<Seat>();

  /** Devices of people who were in the room and are not any more, and those that may not come back; by the id that they had. */
  private readonly gone = new Map<string, readonly Digest[]>();
  private readonly banned = new Map<string, readonly Digest[]>();
  /** Ids whose sockets, where they are still to come, hear that they were removed. */
  private readonly kicked = new Set<string>();

  constructor(state: RoomState, hostDigest: Digest) {
    this.state = state;
    this.hostDigests = [hostDigest];
  }

  get size(): number {
    return this.members.size;
  }

  /** In order of arrival. */
  all(): Member[] {
    return [...this.members.values()];
  }

  byId(id: string): Member | null {
    return this.members.get(id) ?? null;
  }

  bySeat(seat: Seat): Member | null {
    return this.all().find((member) => member.seat === seat) ?? null;
  }

  seated(): Member[] {
    return this.all().filter((member) => member.seat >= 0);
  }

  /** The same secret has the same place; a newcomer passes one rule after another. */
  admit(request: SeatRequest, mayRename: boolean): Seated {
    const known = this.find(request);
    if (known !== null) return this.welcomeBack(known, mayRename ? request.name : undefined);
    if (request.pass !== undefined) return this.letIn(request.pass, request);
    const isHost = isAmong(request.digest, this.hostDigests);
    if (request.role === 'host')
      return isHost ? answer(this.add('host', request.digest, null, -1, HOST_NAME)) : { ok: false, code: 'NOT_HOST' };
    if (this.isBanned(request.digest)) return { ok: false, code: 'BANNED' };
    // The host's own projector comes in always.
    if (this.state.locked && !(isHost && request.role === 'screen')) return { ok: false, code: 'LOCKED' };
    if (request.role !== 'player') return this.admitWatcher(request.role, request.digest);
    const seat = this.freeSeat();
    if (seat === null || this.members.size >= PEOPLE_MAX) return { ok: false, code: 'FULL' };
    const named = this.nameFor(request.name, null);
    if (!named.ok) return named;
    return answer(this.add('player', request.digest, null, seat, named.name));
  }

  /** For another device of this member. */
  givePass(member: Member): string {
    return this.passes.give(member.id, performance.now());
  }

  private letIn(pass: string, { digest, role }: SeatRequest): Seated {
    const member = this.byId(this.passes.take(pass, performance.now()) ?? '');
    if (member === null || member.role !== role) return { ok: false, code: 'NO_PASS' };
    if (role === 'host') this.hostDigests = [this.hostDigests[0]!, ...[...this.hosts(), digest].slice(-DEVICES_MAX)];
    else member.also = [...member.also, digest].slice(-DEVICES_MAX);
    return this.welcomeBack(member, undefined);
  }

  private admitWatcher(role: keyof typeof WATCHERS_MAX, digest: Digest): Seated {
    const there = this.all().filter((member) => member.role === role).length;
    if (there >= WATCHERS_MAX[role] || this.members.size >= PEOPLE_MAX) return { ok: false, code: 'TOO_MANY_WATCH' };
    return answer(this.add(role, digest, null, -1, ''));
  }

  /** Null when no seat is free. */
  addBot(bot: BotName): Member | null {
    const seat = this.freeSeat();
    if (seat === null) return null;
    const member = this.add('player', '', bot, seat, this.freeBotName(bot));
    member.arrived = true;
    return member;
  }

  /** `spent`: the seat had a process in the round that is on; its number is not given again before the next. */
  remove(member: Member, spent: boolean, isKick = false): void {
    this.members.delete(member.id);
    this.state.roster.delete(member.id);
    if (spent) this.spent.add(member.seat);
    if (member.bot === null) this.gone.set(member.id, digestsOf(member));
    if (isKick) this.kicked.add(member.id);
  }

  wasKicked(id: string): boolean {
    return this.kicked.has(id);
  }

  /**
   * The device of a person who is here, or was, may not come in again in any role but the host's. Returns all whom it had in
   * the room; null for an id that nobody had.
   * Simplified: a person who clears the browser's storage has another device; then the room is to be locked.
   */
  ban(id: string): Member[] | null {
    const member = this.members.get(id);
    const digests = member === undefined ? this.gone.get(id) : digestsOf(member);
    if (digests === undefined || digests.length === 0) return null;
    this.banned.set(id, digests);
    return this.all().filter((other) => other.role !== 'host' && digestsOf(other).some((digest) => isAmong(digest, digests)));
  }

  /** False when nobody was banned under this id. */
  pardon(id: string): boolean {
    const digests = this.banned.get(id);
    if (digests === undefined) return false;
    for (const [other, kept] of this.banned) if (kept.some((digest) => isAmong(digest, digests))) this.banned.delete(other);
    return true;
  }

  private isBanned(digest: Digest): boolean {
    return [...this.banned.values()].some((kept) => isAmong(digest, kept));
  }

  /** Who may not come back, to be written down. */
  bans(): [string, ...Digest[]][] {
    return [...this.banned].map(([id, digests]) => [id, ...digests]);
  }

  /** Devices that were let in to host, to be written down. */
  hosts(): readonly Digest[] {
    return this.hostDigests.slice(1);
  }

  newRound(): void {
    this.spent.clear();
  }

  spentSeats(): Seat[] {
    return [...this.spent];
  }

  /** Those who were in the room when it was last written; nobody of them has a socket. */
  restore(people: ReturnType<typeof readPerson>[], { spent, bans = [], hosts = [] }: SavedRoom): void {
    for (const [id, ...digests] of bans) this.banned.set(id, digests);
    for (const { id, role, digest, bot, seat, name, arrived, also } of people)
      Object.assign(this.add(role, digest, bot, seat, name, id), { arrived, also: also ?? [] });
    for (const seat of spent) this.spent.add(seat);
    this.hostDigests = [...this.hostDigests, ...hosts];
  }

  setClient(member: Member, client: Client | null, now: number): void {
    member.client = client;
    member.entry.online = client !== null;
    if (client === null) member.awaySince = now;
    else member.arrived = true;
  }

  private find(request: SeatRequest): Member | null {
    let found: Member | null = null;
    for (const member of this.members.values())
      if (member.role === request.role && isAmong(request.digest, member.role === 'host' ? this.hostDigests : digestsOf(member)))
        found = member;
    return found;
  }

  private welcomeBack(member: Member, name: string | undefined): Seated {
    if (!member.returns.take()) return { ok: false, code: 'TOO_FAST' };
    if (member.role === 'player' && name !== undefined && name !== member.name) {
      const named = this.nameFor(name, member);
      if (!named.ok) return named;
      member.name = named.name;
      member.entry.name = named.name;
    }
    // Whoever asks is on the way.
    member.awaySince = performance.now();
    return answer(member);
  }

  private add(role: Role, digest: Digest, bot: BotName | null, seat: Seat, name: string, id = randomId()): Member {
    const entry = new Person().assign({ id, seat, name, role, online: bot !== null, bot: bot ?? '' });
    const member: Member = {
      id,
      role,
      bot,
      digest,
      also: [],
      seat,
      name,
      client: null,
      awaySince: performance.now(),
      arrived: false,
      seq: 0,
      ownSeq: 0,
      watching: false,
      slow: { snapshots: 0, at: 0 },
      inputs: new Budget(INPUTS_PER_SECOND, INPUTS_BURST),
      resyncs: new Budget(1 / RESYNC_SECONDS, RESYNC_BURST),
      returns: new Budget(RETURNS_PER_SECOND, RETURNS_BURST),
      entry,
    };
    this.members.set(id, member);
    this.state.roster.set(id, entry);
    return member;
  }

  private freeSeat(): Seat | null {
    const taken = new Set(this.seated().map((member) => member.seat));
    if (taken.size >= this.state.seats) return null;
    for (let seat = 0; seat < SEAT_NUMBERS_MAX; seat++) if (!taken.has(seat) && !this.spent.has(seat)) return seat;
    return null;
  }

  private nameFor(typed: string | undefined, own: Member | null): { ok: true; name: string } | { ok: false; code: Code } {
    if (typed === undefined) return { ok: true, name: this.freeMadeName() };
    const checked = checkName(typed);
    if (!checked.ok) return checked;
    return this.isTaken(checked.name, own) ? { ok: false, code: 'NAME_TAKEN' } : checked;
  }

  private isTaken(name: string, own: Member | null): boolean {
    const key = lookAlikeKey(name);
    if (key === lookAlikeKey(HOST_NAME)) return true;
    return this.all().some((member) => member !== own && lookAlikeKey(member.name) === key);
  }

  private freeMadeName(): string {
    // There are thousands of names for at most 320 people: a free one comes up at once.
    for (;;) {
      const name = makeName(randomBelow);
      if (!this.isTaken(name, null)) return name;
    }
  }

  private freeBotName(bot: BotName): string {
    for (let number = 1; ; number++) {
      const name = `${bot} ${number}`;
      if (!this.isTaken(name, null)) return name;
    }
  }
}

/** None of a bot. */
function digestsOf({ digest, also }: Member): readonly Digest[] {
  return digest === '' ? [] : [digest, ...also];
}

/** All are compared, each in constant time. */
function isAmong(digest: Digest, digests: readonly Digest[]): boolean {
  return digests.filter((other) => sameDigest(digest, other)).length > 0;
}

function answer(member: Member): Seated {
  return { ok: true, id: member.id, role: member.role, seat: member.seat, name: member.name };
}

export function isWatcher(member: Member): boolean {
  return member.role === 'spectator' || member.role === 'screen';
}
