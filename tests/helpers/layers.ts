/** Who may import whom: the import matrix of the house, as a literal. */
import { type Source, importsOf, resolveImport } from './sources.ts';

interface Rights {
  /** Layers beside its own. */
  layers: string[];
  /** npm packages; Node's own modules as `node:`. */
  packages: string[];
}

export const MATRIX: Record<string, Rights> = {
  'shared/kernel': { layers: [], packages: [] },
  // zod is the boundary of scenarios, which come from files and teachers.
  'shared/game': { layers: ['shared/kernel'], packages: ['zod'] },
  'shared/protocol': { layers: ['shared/game', 'shared/kernel'], packages: ['zod', '@colyseus/schema'] },
  server: {
    layers: ['shared/protocol', 'shared/game', 'shared/kernel', 'assets'],
    packages: [
      'node:',
      '@colyseus/core',
      '@colyseus/schema',
      '@colyseus/sdk',
      '@colyseus/ws-transport',
      'express',
      'kysely',
      'nanoid',
      'pino',
      'prom-client',
      'uqr',
      'zod',
    ],
  },
  client: {
    layers: ['shared/protocol', 'shared/game', 'shared/kernel', 'assets'],
    packages: ['@colyseus/sdk', '@colyseus/schema', '@fontsource/', '@preact/signals', 'phaser', 'preact', 'uqr', 'zod'],
  },
  scripts: { layers: [], packages: ['node:', '@playwright/test'] },
};

export const layerOf = (path: string): string | null =>
  [...Object.keys(MATRIX), 'assets', 'tests'].find((layer) => path.startsWith(`${layer}/`)) ?? null;

/** Each import that the matrix does not have, as one sentence. */
export function forbiddenImports(files: Source[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    const own = layerOf(path);
    const rights = own === null ? undefined : MATRIX[own];
    if (own === null || rights === undefined) continue;
    for (const name of importsOf(text)) {
      const target = resolveImport(path, name);
      if (target === null) {
        if (!rights.packages.some((allowed) => isOf(name, allowed))) found.push(`${path}: ${own} may not use the package ${name}`);
        continue;
      }
      const layer = layerOf(target);
      if (layer === own) continue;
      if (layer === null || !rights.layers.includes(layer)) found.push(`${path}: ${own} may not import ${target}`);
      else if (layer.startsWith('shared/') && !name.startsWith('#')) found.push(`${path}: write #… instead of ${name}`);
    }
  }
  return found;
}

const isOf = (name: string, allowed: string): boolean =>
  name === allowed || name.startsWith(/[:/]$/.test(allowed) ? allowed : `${allowed}/`);
