/**
 * `npm run lock`: names in package-lock.json the packages of other platforms that npm left out. npm forgets them when the
 * registry at hand does not carry them all, and `npm ci` then refuses on every machine. Run it after `npm install X --save-exact`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './process.mjs';

/** `…-linux-x64-musl`, `…-darwin-arm64`: system, processor and, on Linux, the C library, as every such package is named. */
const PLATFORM =
  /-(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(gnu|musl))?\b/;

const path = join(ROOT, 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
const packages = lock.packages;
let added = 0;
for (const [parentPath, parent] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (packages[`node_modules/${name}`] || packages[`${parentPath}/node_modules/${name}`]) continue;
    const [, os, cpu, libc] = PLATFORM.exec(name) ?? [];
    if (os === undefined) throw new Error(`${name} (of ${parentPath}) names no platform that lock.mjs knows`);
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(parent.dev ? { dev: true } : {}),
      ...(libc ? { libc: [libc === 'gnu' ? 'glibc' : libc] } : {}),
      license: parent.license,
      optional: true,
      os: [os],
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages of other platforms named`);
