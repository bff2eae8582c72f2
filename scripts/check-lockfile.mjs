/**
 * The lockfiles install on every platform and from every registry. npm leaves out the builds of a native package for
 * other systems when it cannot see them (another mirror, or node_modules already there), and `npm ci` then fails
 * elsewhere; and it may note the addresses of one registry.
 *
 *   node scripts/check-lockfile.mjs             reports
 *   node scripts/check-lockfile.mjs --complete  adds the missing builds, by what their names say of their platform
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const LOCKFILES = ['package-lock.json', 'bench/package-lock.json'];
const PLATFORM =
  /-(?<os>android|darwin|freebsd|linux|openharmony|win32)-(?<cpu>[a-z0-9]+)(?:-(?<libc>gnu|musl|msvc|\w+))?$/;

for (const name of LOCKFILES) {
  const lock = JSON.parse(readFileSync(join(root, name), 'utf8'));
  if (process.argv.includes('--complete')) complete(name, lock);
  else report(name, lock);
}

function report(name, lock) {
  const addressed = Object.entries(lock.packages)
    .filter(([, { resolved, link }]) => resolved && !link)
    .map(([path]) => `${path} names an address (.npmrc of the project prevents it)`);
  const problems = [...addressed, ...missing(lock).map(({ name }) => `${name} is not locked (--complete adds it)`)];
  for (const problem of problems) console.error(`${name}: ${problem}`);
  console.log(`${name}: ${Object.keys(lock.packages).length} packages, ${problems.length} problems`);
  if (problems.length > 0) process.exitCode = 1;
}

function complete(name, lock) {
  const added = missing(lock);
  for (const { path, name, version, dev } of added) lock.packages[path] = entryOf(name, version, dev);
  const [project, ...rest] = Object.entries(lock.packages);
  rest.sort(([a], [b]) => a.localeCompare(b, 'en'));
  const text = JSON.stringify({ ...lock, packages: Object.fromEntries([project, ...rest]) }, null, 2);
  writeFileSync(join(root, name), `${text}\n`);
  console.log(`${name}: ${added.length} entries added`);
}

function missing(lock) {
  return Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => PLATFORM.test(name) && !isLocked(lock, path, name))
      .map(([name, version]) => ({ path: `node_modules/${name}`, name, version, dev })),
  );
}

/** npm looks in the package's own node_modules, then in each one above. */
function isLocked(lock, path, name) {
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
