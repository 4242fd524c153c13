/** Which files somebody uses: all that can be reached from the doors of the program and, for tests, from the tests. */
import { posix } from 'node:path';
import { type Source, CODE, importsOf, resolveImport } from './sources.ts';

/** Files that are started by name: scripts of package.json, pages, and what the runners and builders look for. */
const STARTED = /^(client\/index\.html|package\.json|\.ci\/run|\w+\.config\.ts)$/;
const TESTS = /^tests\/.*\.(test|pw|oracle)\.ts$/;
const PART = /\.(ts|tsx|mjs|css)$/;

/** Code and styles that nobody reaches: of the product from the product's doors, of the tests from tests and product. */
export function deadFiles(files: Source[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const product = reach(
    byPath,
    files.filter(({ path }) => STARTED.test(path)).map(({ path }) => path),
  );
  const tested = reach(
    byPath,
    files.filter(({ path }) => TESTS.test(path)).map(({ path }) => path),
  );
  return files
    .map(({ path }) => path)
    .filter((path) => PART.test(path) && !product.has(path) && !(path.startsWith('tests/') && tested.has(path)));
}

function reach(byPath: Map<string, Source>, doors: string[]): Set<string> {
  const seen = new Set<string>();
  const next = [...doors];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const file = byPath.get(path);
    if (file === undefined || seen.has(path)) continue;
    seen.add(path);
    next.push(...references(file));
  }
  return seen;
}

/** Paths that a file imports, loads or starts. */
function references({ path, text }: Source): string[] {
  const beside = (name: string): string => posix.normalize(posix.join(posix.dirname(path), name));
  if (path.endsWith('.css')) return [...text.matchAll(/@import\s+(?:url\()?['"]([^'"]+)['"]/g)].map((match) => beside(match[1]!));
  if (path.endsWith('.html')) return [...text.matchAll(/(?:src|href)="(\.[^"]+)"/g)].map((match) => beside(match[1]!));
  const started = /^(scripts\/|server\/cli\/|package\.json|\.ci\/)/.test(path)
    ? [...text.matchAll(/[\w./-]+\.(?:ts|mjs)\b/g)].map((match) => match[0])
    : [];
  const imported = CODE.test(path) ? importsOf(text).map((name) => resolveImport(path, name)) : [];
  return [...started, ...imported.filter((target) => target !== null)];
}
