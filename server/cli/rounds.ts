/** What the tools for rounds share: finding a round, reading a file, and saying in a sentence what is wrong. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createRound, playTick, type Round } from '#game/round.ts';
import { parseScenario, ScenarioError } from '#game/scenario.ts';
import { WireFormatError } from '#protocol/bytes.ts';
import { checkRules, decodeLog, OtherRulesError, type RoundLog } from '#protocol/log.ts';
import { parseRoomCode } from '#protocol/roomCode.ts';
import { decodeTick } from '#protocol/tick.ts';
import { dataFolder } from '../folder.ts';
import { Store } from '../store/Store.ts';

/** A mistake of the person at the command line, or in what they were given; its message is a sentence for them. */
export class Mistake extends Error {
  /** 2: the command; 1: what it was to work on. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a tool and leaves with its exit code: 0, or a Mistake's with its sentence. */
export async function runTool(work: () => Promise<void> | void): Promise<void> {
  // `replay … | head` closes our output early: that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await work();
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`${basename(process.argv[1]!, '.ts')}: ${error.message}`);
    process.exitCode = error instanceof Mistake ? error.exitCode : 1;
  }
}

function isExpected(error: unknown): error is Error {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return error instanceof Mistake || error instanceof OtherRulesError || syscall !== undefined || code === 'ERR_SQLITE_ERROR';
}

/** A room's code in its one form, or anything else as it is: the id of a round. */
export function codeOrId(typed: string): string {
  return parseRoomCode(typed) ?? typed;
}

export async function withStore<T>(work: (store: Store) => T): Promise<T> {
  const store = await Store.openBeside(dataFolder());
  try {
    return work(store);
  } finally {
    await store.close();
  }
}

/** Throws Mistake, OtherRulesError, or what reading a file throws. The scenario is checked. */
export function readRoundFile(path: string): RoundLog {
  const bytes = readFileSync(path === '-' ? 0 : path);
  try {
    const log = decodeLog(bytes);
    checkRules(log);
    return { ...log, scenario: parseScenario(log.scenario) };
  } catch (error) {
    if (error instanceof WireFormatError || error instanceof ScenarioError) throw new Mistake(`${path}: ${error.message}`);
    throw error;
  }
}

/** Plays a file's round to its end. Throws Mistake at a tick that is none. */
export function playRound({ scenario, seed, seats, ticks }: RoundLog, seen: (round: Round) => void = () => {}): Round {
  const round = createRound(scenario, seed, seats);
  for (const bytes of ticks) {
    try {
      playTick(round, decodeTick(bytes));
    } catch (error) {
      if (error instanceof WireFormatError || error instanceof RangeError) throw new Mistake(`tick ${round.now + 1}: ${error.message}`);
      throw error;
    }
    seen(round);
  }
  return round;
}
