/**
 * Finds a Chromium for the browser tests, and gets one where there is none: CHROME_PATH, the usual places, Debian's package
 * (as root, or by sudo without a password), Playwright's own download. Plain JavaScript for Node 20 or later.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, runs } from './process.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Without a GPU, WebGL is drawn by SwiftShader; the rest keeps the browser from talking to anybody but the tests. */
export const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a browser that is there, or null. A wrong CHROME_PATH is an error, not a reason to look elsewhere. */
export function findBrowser(env = process.env) {
  if (env.CHROME_PATH) {
    if (!isProgram(env.CHROME_PATH)) throw new Error(`CHROME_PATH names no program: ${env.CHROME_PATH}`);
    return env.CHROME_PATH;
  }
  const onPath = (env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...PLACES, ...onPath].find(isProgram) ?? null;
}

async function playwrightBrowser() {
  const { chromium } = await import('@playwright/test');
  const path = chromium.executablePath();
  return existsSync(path) ? path : null;
}

/** The words that make a command root, or null where nothing does. */
function rootBy() {
  if (process.getuid?.() === 0) return [];
  return runs('sudo', ['-n', 'true']) ? ['sudo', '-n'] : null;
}

function installDebian(say) {
  if (process.platform !== 'linux' || !runs('apt-get', ['--version'])) return;
  const prefix = rootBy();
  if (prefix === null) return;
  say("browser: installing Debian's package chromium");
  const apt = (...words) => {
    const [program, ...rest] = [...prefix, 'apt-get', ...words];
    return run(program, rest, { quiet: true, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  };
  const install = () => apt('install', '-y', '--no-install-recommends', 'chromium');
  if (!install() && apt('update')) install();
}

/** A browser's path, got in one of three ways. Throws with what to do when none worked. */
export async function getBrowser(say) {
  const there = findBrowser() ?? (await playwrightBrowser());
  if (there) return there;
  installDebian(say);
  const installed = findBrowser();
  if (installed) return installed;
  say("browser: downloading Playwright's Chromium");
  run(process.execPath, ['node_modules/playwright/cli.js', 'install', 'chromium'], { quiet: true });
  const downloaded = await playwrightBrowser();
  if (downloaded) return downloaded;
  throw new Error(
    'No browser for the browser tests. Install Chromium or Chrome, or set CHROME_PATH to one: CHROME_PATH=/path/to/chromium npm test',
  );
}
