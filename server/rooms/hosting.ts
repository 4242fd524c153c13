/** What a host may do, and when: a table by action. Each answers null, or the code of the refusal. */
import type { Code } from '#protocol/codes.ts';
import { TICKS_PER_SECOND } from '#protocol/limits.ts';
import type { HostAction, Phase } from '#protocol/messages.ts';
import type { RoundRoom } from './RoundRoom.ts';
import { handBack } from './standIns.ts';

type Kind = HostAction['do'];
type ActionOf<K extends Kind> = Extract<HostAction, { do: K }>;

interface Rule<K extends Kind> {
  phases: readonly Phase[];
  run(room: RoundRoom, action: ActionOf<K>): Code | null;
}

const ANY: readonly Phase[] = ['lobby', 'briefing', 'running', 'paused', 'podium'];
const ON: readonly Phase[] = ['running', 'paused'];

const RULES: { [K in Kind]: Rule<K> } = {
  start: {
    phases: ['lobby'],
    run: (room) => {
      if (!room.roster.seated().some((member) => member.bot !== null || member.client !== null)) return 'NO_PLAYERS';
      return room.startRound() ? null : 'INTERNAL';
    },
  },
  pause: { phases: ['running'], run: (room) => turn(room, 'paused') },
  resume: { phases: ['paused'], run: (room) => turn(room, 'running') },
  extend: {
    phases: ON,
    run: (room, action) => {
      room.playing!.queue({ type: 'extend', ticks: action.seconds * TICKS_PER_SECOND });
      return null;
    },
  },
  end: {
    phases: ON,
    run: (room) => {
      room.playing!.queue({ type: 'end' });
      return turn(room, 'running');
    },
  },
  again: {
    phases: ['podium'],
    run: (room) => {
      room.backToLobby();
      return null;
    },
  },
  kick: {
    phases: ANY,
    run: (room, action) => {
      const member = room.roster.byId(action.id);
      if (member === null || member.role === 'host') return 'NO_PERSON';
      room.removeMember(member, true);
      return null;
    },
  },
  ban: {
    phases: ANY,
    run: (room, action) => {
      if (room.roster.byId(action.id)?.role === 'host') return 'NO_PERSON';
      const members = room.roster.ban(action.id);
      for (const member of members ?? []) room.removeMember(member, true);
      return members === null ? 'NO_PERSON' : null;
    },
  },
  pardon: { phases: ANY, run: (room, action) => (room.roster.pardon(action.id) ? null : 'NO_PERSON') },
  lock: {
    phases: ANY,
    run: (room, action) => {
      room.state.locked = action.locked;
      return null;
    },
  },
  standIns: {
    phases: ANY,
    run: (room, action) => {
      room.state.standIns = action.on;
      if (!action.on) for (const member of room.roster.seated()) handBack(room, member);
      return null;
    },
  },
  forget: {
    phases: ANY,
    run: (room) => {
      room.forget();
      return null;
    },
  },
  addBots: { phases: ['lobby', 'briefing', 'running', 'paused'], run: addBots },
  removeBots: {
    phases: ANY,
    run: (room) => {
      for (const member of room.roster.seated()) if (member.bot !== null) room.removeMember(member);
      return null;
    },
  },
  cap: {
    phases: ['briefing', 'running', 'paused'],
    run: (room, action) => {
      if (room.roster.bySeat(action.seat) === null) return 'NO_PERSON';
      room.playing!.queue({ type: 'cap', seat: action.seat, on: action.on });
      return null;
    },
  },
  options: { phases: ['lobby'], run: setOptions },
};

export function actAsHost(room: RoundRoom, action: HostAction): Code | null {
  const rule = RULES[action.do] as Rule<Kind>;
  if (!rule.phases.includes(room.phase)) return 'WRONG_PHASE';
  return rule.run(room, action);
}

function turn(room: RoundRoom, phase: Phase): null {
  if (room.phase !== phase) room.setPhase(phase);
  return null;
}

/** All of them, or none. */
function addBots(room: RoundRoom, action: ActionOf<'addBots'>): Code | null {
  if (room.roster.seated().length + action.bots.length > room.state.seats) return 'FULL';
  for (const bot of action.bots) {
    const member = room.roster.addBot(bot);
    if (member === null) return 'FULL';
    room.joinRound(member);
  }
  return null;
}

function setOptions(room: RoundRoom, action: ActionOf<'options'>): Code | null {
  const scenario = action.scenario === undefined ? room.scenario : room.scenarioById(action.scenario);
  if (scenario === null) return 'NO_SCENARIO';
  // Another scenario comes with its own length.
  const seconds = action.seconds ?? (scenario === room.scenario ? room.state.seconds : scenario.seconds);
  room.scenario = scenario;
  room.state.scenario = scenario.id;
  room.state.seconds = seconds;
  return null;
}
