/**
 * `npm test`: everything, on a fresh clone too. All steps run even when one fails; the last line is the total, a check counting as one.
 * Exits 1 on any failure, and where a test was skipped.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { getBrowser } from './browser.mjs';
import { ROOT, run } from './process.mjs';
import { setupOrEnd } from './setup.mjs';

const REPORTS = join(ROOT, 'test-results');
const total = { passed: 0, failed: 0 };
const failures = [];

function count(name, passed, failed) {
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failures.push(name);
}

function check(name, program, words) {
  console.log(`\n— ${name}`);
  const ok = run(program, words);
  count(name, ok ? 1 : 0, ok ? 0 : 1);
}

/** Runs a test runner that writes `report`; `figures` reads [passed, failed] from it. A crash without figures is one failure. */
function suite(name, words, report, figures, env = process.env) {
  console.log(`\n— ${name}`);
  const ok = run(node, words, { env });
  const [passed, failed] = existsSync(report) ? figures(JSON.parse(readFileSync(report, 'utf8'))) : [0, 0];
  count(name, passed, ok ? failed : Math.max(failed, 1));
}

function vitest(project) {
  const report = join(REPORTS, `${project}.json`);
  const words = ['node_modules/vitest/vitest.mjs', 'run', '--project', project];
  suite(`${project} tests`, [...words, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], report, (found) => [
    found.numPassedTests,
    found.numFailedTests + found.numPendingTests + found.numTodoTests,
  ]);
}

const started = Date.now();
const node = setupOrEnd({ say: console.log });
rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });

check('types', node, ['scripts/types.mjs']);
check('lint', node, ['node_modules/oxlint/bin/oxlint', '--quiet', 'client', 'server', 'shared', 'tests', 'scripts']);
check('format', node, ['node_modules/oxfmt/bin/oxfmt', '--check', '.']);
vitest('unit');
vitest('server');
try {
  const browser = await getBrowser(console.log);
  const words = ['node_modules/@playwright/test/cli.js', 'test'];
  const figures = ({ stats }) => [stats.expected, stats.unexpected + stats.flaky + stats.skipped];
  suite('browser tests', words, join(REPORTS, 'e2e.json'), figures, { ...process.env, CHROME_PATH: browser });
} catch (error) {
  console.error(error.message);
  count('browser tests', 0, 1);
}

if (failures.length > 0) console.log(`\nfailed: ${failures.join(', ')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed in ${Math.round((Date.now() - started) / 1000)} s`);
process.exitCode = total.failed === 0 ? 0 : 1;
