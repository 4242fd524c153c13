/** The project's own files as text, and what they import: for the tests that hold the house together. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Source {
  /** From the project's folder, with forward slashes. */
  path: string;
  text: string;
}

const FOLDERS = ['client', 'server', 'shared', 'assets', 'docs', 'tests', 'scripts'];
const TOP = ['package.json', 'vite.config.ts', 'vitest.config.ts', 'playwright.config.ts', 'README.md', 'CONTRIBUTING.md', '.ci/run'];
const TEXT = /\.(ts|tsx|mjs|js|json|css|html|md|ndjson|c|svg)$/;
export const CODE = /\.(ts|tsx|mjs|js)$/;

let all: Source[] | undefined;

/** Every text file of the project's folders, in a fixed order; read once. */
export function sources(): Source[] {
  return (all ??= [...FOLDERS.flatMap(filesUnder), ...TOP].sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })));
}

export const codeIn = (...folders: string[]): Source[] =>
  sources().filter(({ path }) => CODE.test(path) && folders.some((folder) => path.startsWith(`${folder}/`)));

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
}

/** Code without comments, and with strings emptied where `strings` is false; lines stay where they are. */
export function bare(text: string, strings: boolean): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ');
  // One pass, so that a quote in a comment or a slash in a string starts nothing.
  const parts =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
  return text.replace(parts, (part, at: number) => {
    if (part.startsWith('/*') || part.startsWith('//')) return blank(part);
    if (part.startsWith('/')) return isDivision(text, at) ? part : strings ? part : blank(part);
    return strings ? part : part[0] + blank(part.slice(1, -1)) + part[0];
  });
}

/** A slash after a value divides; elsewhere it opens a regular expression. */
function isDivision(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 40), at).trimEnd();
  return /[\w$)\]]$/.test(before) && !/\b(return|typeof|case|in|of)$/.test(before);
}

const IMPORTS = [
  /\b(?:import|export)\s+(?:type\s+)?[\w*{}\s,$]*?\s*from\s*['"]([^'"]+)['"]/g,
  /\bimport\s*['"]([^'"]+)['"]/g,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  /\bnew URL\(\s*['"](\.[^'"]+\.(?:ts|tsx|mjs|js))['"]\s*,\s*import\.meta\.url/g,
];

/** What a file names as imported, as written. */
export function importsOf(text: string): string[] {
  const code = bare(text, true);
  return IMPORTS.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
}

const ALIASES: [string, string][] = [
  ['#kernel/', 'shared/kernel/'],
  ['#game/', 'shared/game/'],
  ['#protocol/', 'shared/protocol/'],
];

/** The project's path behind an import, or null for a package. */
export function resolveImport(from: string, name: string): string | null {
  const plain = name.replace(/\?.*$/, '');
  for (const [alias, folder] of ALIASES) if (plain.startsWith(alias)) return folder + plain.slice(alias.length);
  return plain.startsWith('.') ? posix.normalize(posix.join(dirname(from), plain)) : null;
}
