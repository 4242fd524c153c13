/**
 * The headless machine: `npm run -s sim -- FILE` (or `-` for standard input) plays newline-delimited JSON and prints one
 * JSON answer per line. Exit 0: every line was understood; 1: an assert failed; 2: a line could not be played, named on
 * standard error, with nothing printed from there on. calls.md has the kinds of line; sim/lines.ts decides on blank lines and ends of line.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { LineError, LineSplitter } from './sim/lines.ts';
import { scriptPlayer } from './sim/script.ts';

const FLUSH_AT = 1 << 16;

const UNDERSTOOD = 0;
const ASSERT_FAILED = 1;
const REFUSED = 2;

/** Answers wait here until enough are together; a few long writes cost less than many short ones. */
class Output {
  private waiting = '';

  line(text: string): void {
    this.waiting += text;
    this.waiting += '\n';
    if (this.waiting.length >= FLUSH_AT) this.flush();
  }

  flush(): void {
    if (this.waiting !== '') process.stdout.write(this.waiting);
    this.waiting = '';
  }
}

async function playStream(input: Readable): Promise<number> {
  const output = new Output();
  const script = scriptPlayer((answer) => output.line(answer));
  const lines = new LineSplitter(script.line);
  try {
    for await (const chunk of input) {
      lines.push(chunk as Buffer);
      output.flush(); // who talks to us line by line waits for the answer
      if (process.stdout.writableNeedDrain) await new Promise((done) => process.stdout.once('drain', done));
    }
    lines.end();
    script.end();
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    output.flush();
    process.stderr.write(`sim: line ${error.line}, column ${error.column}: ${error.message}\n`);
    return REFUSED;
  }
  output.flush();
  return script.play.assertFailed ? ASSERT_FAILED : UNDERSTOOD;
}

async function main(args: string[]): Promise<number> {
  const [path, ...more] = args;
  if (path === undefined || more.length > 0) {
    process.stderr.write('usage: npm run -s sim -- FILE   (- for standard input)\n');
    return REFUSED;
  }
  if (path === '-') return playStream(process.stdin);
  const input = createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    return await playStream(input);
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    process.stderr.write(`sim: ${path}: ${error.message}\n`);
    return REFUSED;
  }
}

// `sim … | head` closes our output early: that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(UNDERSTOOD);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
