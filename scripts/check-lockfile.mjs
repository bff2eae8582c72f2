/**
 * The lockfile installs on every platform and from every registry. npm leaves out the builds of a native package for
 * other systems when it cannot see them (another mirror, or node_modules already there), and `npm ci` then fails
 * elsewhere; and it may note the addresses of one registry.
 *
 *   node scripts/check-lockfile.mjs             reports
 *   node scripts/check-lockfile.mjs --complete  adds the missing builds, by what their names say of their platform
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = resolve(dirname(fileURLToPath(import.meta.url)), '../package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const PLATFORM =
  /-(?<os>android|darwin|freebsd|linux|openharmony|win32)-(?<cpu>[a-z0-9]+)(?:-(?<libc>gnu|musl|msvc|\w+))?$/;

const addressed = Object.entries(lock.packages)
  .filter(([, { resolved, link }]) => resolved && !link)
  .map(([path]) => `${path} names an address (.npmrc of the project prevents it)`);

const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => PLATFORM.test(name) && !isLocked(path, name))
    .map(([name, version]) => ({ path: `node_modules/${name}`, name, version, dev })),
);

if (process.argv.includes('--complete')) {
  for (const { path, name, version, dev } of missing) lock.packages[path] = entryOf(name, version, dev);
  const [root, ...rest] = Object.entries(lock.packages);
  rest.sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries([root, ...rest]) }, null, 2)}\n`);
  console.log(`${missing.length} entries added`);
} else {
  const problems = [...addressed, ...missing.map(({ name }) => `${name} is not locked (--complete adds it)`)];
  for (const problem of problems) console.error(problem);
  console.log(`${Object.keys(lock.packages).length} packages, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/** npm looks in the package's own node_modules, then in each one above. */
function isLocked(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
    if (!folder.includes('/node_modules/')) return Boolean(lock.packages[`node_modules/${name}`]);
  }
}

function entryOf(name, version, dev) {
  const { os, cpu, libc } = PLATFORM.exec(name).groups;
  const system = { os: [os], cpu: [cpu] };
  if (libc === 'musl' || libc?.startsWith('gnu')) system.libc = [libc === 'musl' ? 'musl' : 'glibc'];
  return { version, ...(dev && { dev }), optional: true, ...system };
}
