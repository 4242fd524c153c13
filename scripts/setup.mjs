/**
 * Makes a fresh clone ready: dependencies as the lock file has them, a Node that runs TypeScript, the client built.
 * Does nothing, and needs no network, when all of it is there. Plain JavaScript for Node 20 or later.
 *
 * Trap: in a script line `node setup.mjs && node main.ts` the shell remembers where it found the first `node` and starts the
 * second on the old one. So the scripts start the project's Node by its path (process.mjs, projectNode).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectNode, ROOT, run } from './process.mjs';

/** What the built client depends on. */
const SOURCES = ['client', 'shared', 'assets', 'vite.config.ts', 'package.json', 'package-lock.json'];
const STAMP = join(ROOT, 'dist', 'client.stamp');

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}

/** True when every package of the lock file is installed in its version; optional ones may be missing (other platforms). */
export function modulesMatch() {
  const wanted = readJson(join(ROOT, 'package-lock.json'))?.packages ?? {};
  const there = readJson(join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (!there) return false;
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (path === '' || link) return true;
    return there[path] ? there[path].version === version : optional === true;
  });
}

function installModules(say) {
  if (modulesMatch()) return;
  say('setup: installing the dependencies (npm ci)');
  const words = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const ok = npm ? run(process.execPath, [npm, ...words], { quiet: true }) : run('npm', words, { quiet: true });
  if (!ok) throw new Error('npm ci failed; see above. Without a network, a second start works only where the first one did.');
}

function* filesUnder(path) {
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) yield* filesUnder(inner);
    else yield inner;
  }
}

function sourcesHash() {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const path = join(ROOT, source);
    if (!existsSync(path)) continue;
    for (const file of /\.\w+$/.test(source) ? [path] : filesUnder(path))
      hash.update(`\0${file.slice(ROOT.length)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function buildClient(node, say) {
  const hash = sourcesHash();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash && existsSync(join(ROOT, 'dist', 'client', 'index.html'))) return;
  say('setup: building the client');
  const ok = run(node, [join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], { quiet: true });
  if (!ok) throw new Error('The client could not be built; see above.');
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(STAMP, hash);
}

/** Returns the path of the Node that runs the project. `client: false` leaves the build out. Throws with a sentence for the user. */
export function setup({ say = () => {}, client = true } = {}) {
  installModules(say);
  const node = projectNode();
  if (node === null) {
    throw new Error(
      `This platform (${process.platform} ${process.arch}) gets no Node with the dependencies, and ${process.version} is too old: install Node 22.18 or later.`,
    );
  }
  if (client) buildClient(node, say);
  return node;
}

/** As `setup`, but says the sentence and ends the process where it throws. */
export function setupOrEnd(options) {
  try {
    return setup(options);
  } catch (error) {
    console.error(`setup: ${error.message}`);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setupOrEnd({ say: console.error });
