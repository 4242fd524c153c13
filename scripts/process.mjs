/** Starting other programs. Plain JavaScript for Node 20 or later. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs to the end; true when it left with 0. `quiet` keeps its output back and shows it only on failure. */
export function run(program, words, { quiet = false, env = process.env } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
  const done = spawnSync(program, words, { cwd: ROOT, env, stdio, encoding: 'utf8', shell: needsShell(program) });
  if (done.status === 0) return true;
  if (quiet) process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`);
  return false;
}

/** True when the program is there and answers with 0. */
export function runs(program, words) {
  return spawnSync(program, words, { stdio: 'ignore', shell: needsShell(program) }).status === 0;
}

/** npm is a .cmd on Windows, which only a shell starts. */
function needsShell(program) {
  return process.platform === 'win32' && program === 'npm';
}

/**
 * The Node that runs the project's TypeScript as it is: the one among the dependencies, else the one here if it can
 * (22.18 and later strip types). Null where neither is.
 */
export function projectNode() {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join(ROOT, 'node_modules', `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`, 'bin', file);
  if (existsSync(path)) return path;
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18) ? process.execPath : null;
}

/**
 * What the engine is told where the kernel runs for long: its hot paths are many small functions, and joining more of them than
 * usual into one saves a tenth to a sixth of their time (`npm run bench -- P1 P2`, with and without).
 */
export const ENGINE = ['--max-inlined-bytecode-size-cumulative=3000'];

/** Becomes the program, as far as Node can: same streams, signals handed on, same way to end. */
export function become(program, words, { env = process.env, cwd = ROOT } = {}) {
  const child = spawn(program, words, { cwd, env, stdio: 'inherit' });
  const hand = (signal) => child.kill(signal);
  process.on('SIGTERM', hand);
  process.on('SIGHUP', hand);
  // A terminal sends SIGINT to the whole group: the child has it already and decides.
  process.on('SIGINT', () => {});
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
  endWithNpm(() => hand('SIGTERM'));
}

/**
 * A SIGTERM to npm reaches the shell between npm and us, which dies without a word to us: so we watch whose child we are.
 * Only under npm; whoever starts Node by hand may want it to outlive the terminal.
 */
export function endWithNpm(end) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    end();
  }, 250);
  watch.unref();
}
