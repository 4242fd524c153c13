/**
 * Plays a script line by line. The lines of a machine whose replacement policy is opt wait until all of them are there:
 * opt looks into the future, so a rehearsal finds out first which pages they touch.
 */
import { LineError } from './lines.ts';
import { newPlay, playLine, type Play } from './play.ts';

interface Waiting {
  text: string;
  number: number;
}

export interface Script {
  readonly play: Play;
  line: (text: string, number: number) => void;
  /** There are no more lines. */
  end: () => void;
}

type Machine = { machine?: { replacement?: { policy?: unknown; future?: unknown } } };

/** The line as an object, when it names a machine; null for every other. */
function machineLine(text: string): Machine | null {
  if (!text.includes('"machine"')) return null;
  try {
    const line = JSON.parse(text) as Machine | null;
    return typeof line === 'object' && line !== null && line.machine !== undefined ? line : null;
  } catch {
    return null;
  }
}

const needsFuture = ({ machine }: Machine): boolean => machine?.replacement?.policy === 'opt' && machine.replacement.future === undefined;

/** The machine's line with the pages that will be touched: none, and it only takes note of them. */
function withFuture(text: string, future: readonly (readonly [number, number])[]): string {
  const line = JSON.parse(text) as Machine;
  return JSON.stringify({ ...line, machine: { ...line.machine, replacement: { ...line.machine!.replacement, future } } });
}

/** Pages that the lines touch, up to the first that cannot be played. */
function rehearse(lines: readonly Waiting[]): [number, number][] {
  const play = newPlay();
  try {
    lines.forEach(({ text, number }, index) => playLine(play, index === 0 ? withFuture(text, []) : text, number));
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
  }
  return play.machine?.replacement?.seen ?? [];
}

export function scriptPlayer(print: (answer: string) => void): Script {
  const play = newPlay();
  let waiting: Waiting[] | null = null;
  const playNow = (text: string, number: number): void => {
    const answer = playLine(play, text, number);
    if (answer !== null) print(answer);
  };
  const flush = (): void => {
    if (waiting === null) return;
    const lines = waiting;
    waiting = null;
    const future = rehearse(lines);
    lines.forEach(({ text, number }, index) => playNow(index === 0 ? withFuture(text, future) : text, number));
  };
  return {
    play,
    end: flush,
    line: (text, number) => {
      const machine = machineLine(text);
      if (machine !== null) flush();
      if (machine !== null && needsFuture(machine)) waiting = [{ text, number }];
      else if (waiting !== null) waiting.push({ text, number });
      else playNow(text, number);
    },
  };
}
