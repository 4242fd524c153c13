/**
 * A room: it lets people in, has its ticks closed and sends them. What they say is answered in messages.ts; rules are in
 * shared/game.
 */
import type { Client, MessageContext } from '@colyseus/core';
import { CloseCode } from '@colyseus/core';
import type { Scenario } from '#game/types.ts';
import { CLOSE } from '#protocol/codes.ts';
import { MESSAGES_PER_SECOND_MAX, PEOPLE_MAX, TICKS_PER_SECOND } from '#protocol/limits.ts';
import type { Phase, RoomReply, WelcomeMessage } from '#protocol/messages.ts';
import { RoomState } from '#protocol/roomState.ts';
import type { Logger } from '../log.ts';
import type { Counted, Metrics } from '../metrics.ts';
import { randomUint32, type Digest } from '../secrets.ts';
import { Playing } from '../sequencer/Playing.ts';
import type { Sequencer, Ticking } from '../sequencer/Sequencer.ts';
import type { Scenarios } from '../scenarios.ts';
import type { RoomRow } from '../store/tables.ts';
import { RoomBots } from './bots.ts';
import { Caretaker, HOUSEKEEPING_MS, type Patience } from './Caretaker.ts';
import { onHost, onInput, onPass, onResync } from './messages.ts';
import { RoomRecord, type Archive } from './record.ts';
import { briefingTicksLeft, restoreRoom, Returns } from './restore.ts';
import { Roster, type Member, type Seated, type SeatRequest } from './roster.ts';
import { SafeRoom } from './SafeRoom.ts';
import { isTooSlow, letWatch } from './slow.ts';
import { handBack } from './standIns.ts';
import { Streams } from './streams.ts';

/** What the process gives to its rooms. */
export interface House {
  log: Logger;
  sequencer: Sequencer;
  scenarios: Scenarios;
  archive: Archive;
  patience: Patience;
}

export interface RoundRoomOptions {
  code: string;
  hostDigest: Digest;
  scenario: string;
  seconds: number;
  seats: number;
}

/** A room that was interrupted, as it stands in the database. */
export interface KeptRoomOptions {
  kept: RoomRow;
}

const PATCH_MS = 100;
const BRIEFING_SECONDS_MAX = 10;
/** Ticks that may fail in one round before the room gives up. */
const FAILURES_MAX = 3;
/** Above every bound of our own: the framework's counts sockets that are already dead. */
const SOCKETS_MAX = 4 * PEOPLE_MAX;

export class RoundRoom extends SafeRoom<RoomState> implements Ticking {
  /** Set once, before the first room. */
  static house: House;
  static metrics: Metrics;
  /** Those of this process. */
  static readonly open = new Set<RoundRoom>();

  readonly counted = RoundRoom.metrics;
  override state = new RoomState();
  override maxClients = SOCKETS_MAX;
  override autoDispose = false;
  override patchRate = PATCH_MS;
  override maxMessagesPerSecond = MESSAGES_PER_SECOND_MAX;
  override seatReservationTimeout = RoundRoom.house.patience.reservationMs / 1000;

  log!: Logger;
  roster!: Roster;
  bots!: RoomBots;
  record!: RoomRecord;
  scenario!: Scenario;
  /** The round that is on, or the last one while its podium stands. */
  playing: Playing | null = null;
  readonly streams = new Streams(this);
  private briefingTicks = 0;
  private readonly returns = new Returns();
  /** A tick was closed and is not sent yet. */
  private isUnsent = false;
  private failures = 0;
  private readonly caretaker = new Caretaker(this);

  override messages = {
    input: (client: Client, message: unknown, context: MessageContext) => onInput(this, client, message, context),
    host: (client: Client, message: unknown, context: MessageContext) => onHost(this, client, message, context),
    resync: (client: Client, message: unknown, context: MessageContext) => onResync(this, client, message, context),
    pass: (client: Client, message: unknown, context: MessageContext) => onPass(this, client, message, context),
  };

  override async onCreate(options: RoundRoomOptions | KeptRoomOptions): Promise<void> {
    const { archive, log, scenarios } = RoundRoom.house;
    const { code, hostDigest } = 'kept' in options ? options.kept : options;
    this.roomId = code;
    this.log = log.child({ room: code });
    this.bots = new RoomBots(this.log);
    RoundRoom.open.add(this);
    this.record = new RoomRecord(this, archive, hostDigest);
    this.state.assign({ code, phase: 'lobby', locked: false, standIns: false, briefingMs: 0, rounds: 0, unlogged: false });
    if ('kept' in options) await restoreRoom(this, archive.store, options.kept);
    else this.furnish(options);
    // A scenario may be gone after an update; a round that is on has its own copy.
    this.scenario = scenarios.get(this.state.scenario) ?? scenarios.get(scenarios.list()[0]!.id)!;
    this.state.scenario = this.scenario.id;
    this.record.open();
    this.clock.setInterval(() => this.caretaker.look(RoundRoom.house.patience), HOUSEKEEPING_MS);
    await this.setPrivate(true);
    if (this.phase === 'lobby' || this.phase === 'podium') return;
    this.briefingTicks = briefingTicksLeft(this);
    this.returns.expect();
    RoundRoom.house.sequencer.add(this);
  }

  private furnish({ hostDigest, scenario, seconds, seats }: RoundRoomOptions): void {
    this.state.assign({ scenario, seconds, seats });
    this.roster = new Roster(this.state, hostDigest);
    this.log.info({ scenario, seconds, seats }, 'room made');
  }

  override onDispose(): void {
    RoundRoom.open.delete(this);
    RoundRoom.house.sequencer.remove(this);
    this.record.sleep();
    this.log.info('room closed');
  }

  /** The process is about to end: everybody may come back to the next one. */
  override onBeforeShutdown(): void {
    RoundRoom.house.sequencer.remove(this);
    void this.disconnect(CloseCode.MAY_TRY_RECONNECT);
  }

  override onUncaughtException(error: unknown, where: string): void {
    this.log.error({ err: error, where }, 'exception in a room');
  }

  /* ---- the one way in; called through the matchmaker by http/api.ts ---- */

  takeSeat(request: SeatRequest): Seated {
    const seated = this.roster.admit(request, this.phase === 'lobby');
    this.record.keep();
    return seated;
  }

  describe(): RoomReply {
    const { code, phase, scenario, seats, locked } = this.state;
    return { code, phase: phase as Phase, scenario, players: this.roster.seated().length, seats, locked };
  }

  /** For an operator's eyes: how many, not who. */
  count(): Counted {
    const here = this.roster.all().filter((member) => member.bot !== null || member.client !== null);
    return {
      phase: this.phase,
      isUnlogged: this.state.unlogged,
      here: here.map((member) => (member.bot === null ? member.role : 'bot')),
    };
  }

  override onJoin(client: Client, options: { member: string }): void {
    const member = this.roster.byId(options.member);
    // Gone since the seat was asked for: whoever was not sent away asks again.
    if (member === null) return client.leave(this.roster.wasKicked(options.member) ? CLOSE.KICKED : CloseCode.MAY_TRY_RECONNECT);
    client.userData = member.id;
    this.boundPings(client);
    const older = member.client;
    member.watching = false;
    // The newest proof of identity wins.
    this.roster.setClient(member, client, performance.now());
    older?.leave(CLOSE.REPLACED, 'REPLACED');
    handBack(this, member);
    const welcome: WelcomeMessage = { id: member.id, role: member.role, seat: member.seat, seq: member.seq, own: member.ownSeq };
    client.send('welcome', welcome);
    if (this.playing === null) return;
    if (this.phase !== 'podium') this.joinRound(member);
    this.follow(client);
  }

  override onLeave(client: Client): void {
    this.streams.end(client);
    const member = this.memberOf(client);
    // A player who drops keeps the process; a socket that was replaced is nobody's.
    if (member?.client === client) this.roster.setClient(member, null, performance.now());
  }

  /** Null for the socket of somebody who is not in the room any more. */
  memberOf(client: Client): Member | null {
    return this.roster.byId(String(client.userData));
  }

  /** A room that has played can be asked for again. */
  closeEmpty(): void {
    if (this.state.rounds === 0) this.record.forget();
    void this.disconnect(CLOSE.ROOM_CLOSED);
  }

  /** The room ends now, and nothing is kept of it. */
  forget(): void {
    this.record.forget();
    void this.disconnect(CLOSE.FORGOTTEN);
  }

  /** Somebody is in it, or it plays. */
  get isAlive(): boolean {
    return this.clients.length > 0 || this.phase === 'running' || this.phase === 'briefing';
  }

  /* ---- phases; called by hosting.ts ---- */

  get phase(): Phase {
    return this.state.phase as Phase;
  }

  scenarioById(id: string): Scenario | null {
    return RoundRoom.house.scenarios.get(id);
  }

  setPhase(phase: Phase): void {
    this.state.phase = phase;
    this.record.keep();
    // At once, so that what is sent next finds clients in the right phase.
    this.broadcastPatch();
  }

  /** A new round for those who are here. False when the scenario cannot be played. */
  startRound(): boolean {
    const here = this.roster.seated().filter((member) => member.bot !== null || member.client !== null);
    try {
      this.playing = new Playing({ ...this.scenario, seconds: this.state.seconds }, randomUint32(), here.length);
    } catch (error) {
      this.log.error({ err: error }, 'the round cannot be made');
      return false;
    }
    this.failures = 0;
    this.returns.forget();
    this.roster.newRound();
    this.bots.reset();
    for (const member of here) this.joinRound(member);
    this.briefingTicks = TICKS_PER_SECOND * Math.min(BRIEFING_SECONDS_MAX, Math.max(1, Math.round(this.state.seconds / 30)));
    this.state.briefingMs = (this.briefingTicks * 1000) / TICKS_PER_SECOND;
    this.state.rounds += 1;
    this.setPhase('briefing');
    for (const client of this.clients) this.follow(client);
    RoundRoom.house.sequencer.add(this);
    return true;
  }

  private follow(client: Client, fresh = false): void {
    if (this.playing === null) return;
    if (this.memberOf(client)?.watching) return this.streams.showPictures(client);
    this.streams.begin(client, this.playing, fresh).catch((error: unknown) => {
      this.log.error({ err: error }, 'no snapshot');
      client.leave(CLOSE.ROOM_BROKEN, 'ROOM_BROKEN');
    });
  }

  /** By another snapshot, because the client was behind or differed. */
  followAgain(client: Client, fresh = false): void {
    const member = this.memberOf(client);
    if (member === null || member.watching) return;
    if (isTooSlow(member.slow, performance.now())) letWatch(this, member, client);
    else this.follow(client, fresh);
  }

  /** A process for a member of the round that is on; nothing when there is one already. */
  joinRound(member: Member): void {
    if (this.playing === null || member.seat < 0 || this.playing.seats.has(member.seat)) return;
    this.playing.queue({ type: 'join', seat: member.seat, bot: member.bot });
    if (member.bot !== null) this.bots.add(member, member.bot, this.playing.seed);
  }

  /** Out of the room, and the process out of the round. The same person may come back as a newcomer. */
  removeMember(member: Member, isKick = false): void {
    const inRound = this.playing !== null && this.playing.seats.has(member.seat);
    if (inRound) this.playing!.queue({ type: 'leave', seat: member.seat });
    this.bots.remove(member.seat);
    this.roster.remove(member, inRound, isKick);
    member.client?.leave(CLOSE.KICKED, 'KICKED');
  }

  backToLobby(): void {
    RoundRoom.house.sequencer.remove(this);
    this.streams.endAll();
    this.playing = null;
    this.setPhase('lobby');
  }

  /* ---- ticks; called by the sequencer ---- */

  closeTick(): void {
    if (this.phase === 'briefing') return this.brief();
    if (this.phase !== 'running' || this.playing === null || this.returns.awaited(this.roster)) return;
    this.bots.act(this.playing);
    this.playing.close();
    this.record.tick();
    this.isUnsent = true;
  }

  sendTick(): void {
    if (!this.isUnsent || this.playing === null) return;
    this.isUnsent = false;
    this.streams.send(this.playing);
    this.playing.keepSnapshot();
    if (!this.playing.round.over) return;
    // Who comes to the podium after an interruption gets it at once.
    void this.playing.freshSnapshot();
    RoundRoom.house.sequencer.remove(this);
    this.setPhase('podium');
    this.log.info({ ticks: this.playing.ticks.length }, 'round over');
  }

  /** The tick that failed is dropped with its inputs; nobody has seen it. A round that fails again and again ends the room. */
  tickFailed(error: unknown): void {
    RoundRoom.metrics.tickFailed();
    this.log.error({ err: error, tick: this.playing?.ticks.length, failures: this.failures + 1 }, 'a tick failed');
    try {
      this.failures += 1;
      if (this.failures <= FAILURES_MAX) return this.playing?.rebuild();
    } catch (rebuildError) {
      this.log.error({ err: rebuildError }, 'the round cannot be rebuilt');
    }
    RoundRoom.house.sequencer.remove(this);
    this.record.close('ROOM_BROKEN');
    void this.disconnect(CLOSE.ROOM_BROKEN);
  }

  private brief(): void {
    this.briefingTicks -= 1;
    if (this.briefingTicks > 0) {
      if (this.briefingTicks % TICKS_PER_SECOND === 0) this.state.briefingMs = (this.briefingTicks * 1000) / TICKS_PER_SECOND;
      return;
    }
    this.state.briefingMs = 0;
    this.setPhase('running');
  }
}
