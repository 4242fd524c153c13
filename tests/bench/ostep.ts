/** OSTEP's simulators, the other side of P6. They are not ours to hand out: OSTEP=FOLDER names a checkout of ostep-homework. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The path of a program of the checkout; null without one. */
export function ostepProgram(...path: string[]): string | null {
  if (process.env.OSTEP === undefined) return null;
  const program = join(process.env.OSTEP, ...path);
  return existsSync(program) ? program : null;
}

/** Milliseconds of processor time of a run, by the shell's `times`, and the last lines of what it printed; null where it cannot run. */
export function runPython(program: string, options: string): { ms: number; tail: string } | null {
  const line = `set -o pipefail 2> /dev/null; python3 "$0" ${options} | tail -n 4 && times`;
  const { status, stdout } = spawnSync('bash', ['-c', line, program], { encoding: 'utf8' });
  const children = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n$/.exec(stdout);
  if (status !== 0 || children === null) return null;
  const ms = (Number(children[1]) * 60 + Number(children[2]) + Number(children[3]) * 60 + Number(children[4])) * 1000;
  return { ms, tail: stdout.slice(0, children.index) };
}
