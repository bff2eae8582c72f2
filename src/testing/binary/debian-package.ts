import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AptRepository } from './apt-repository.js';
import { commandLine, identifyRedisBinary, type RedisBinary } from './redis-binary.js';
import { run } from './run.js';

/** A binary from a package, or why there is none, as the end of a sentence. */
export type PackageOutcome =
  { readonly binary: RedisBinary; readonly reason?: never } | { readonly binary?: never; readonly reason: string };

/** redis-server needs redis-tools, which needs libraries, which may need libraries: more levels than that are a mistake. */
const MOST_LEVELS = 5;

/**
 * The first of the programs that the distribution's repositories have, unpacked into the cache folder without root, with
 * those of its libraries that the system lacks. The system is not touched, and packages are verified by apt as usual.
 *
 * The cache is filled by one rename, so several processes may do this at once.
 */
export async function installDebianPackage(cacheDir: string, programs: readonly string[]): Promise<PackageOutcome> {
  const release = await debianRelease();
  if (release === undefined) return { reason: 'this is neither Debian nor Ubuntu, whose package could be fetched' };

  const home = resolve(cacheDir, `redis-${release}`);
  const cached = await identifyUnpacked(home, programs);
  if (cached !== undefined) return { binary: cached };

  try {
    await mkdir(cacheDir, { recursive: true });
    const workshop = await mkdtemp(resolve(cacheDir, 'fetch-'));
    try {
      return await fetchInto(workshop, home, programs);
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  } catch (error) {
    return { reason: `the distribution's package could not be kept in ${cacheDir} (${(error as Error).message})` };
  }
}

async function fetchInto(workshop: string, home: string, programs: readonly string[]): Promise<PackageOutcome> {
  const root = join(workshop, 'root');
  const repositories = [() => AptRepository.ofSystem(workshop), () => AptRepository.withFreshLists(workshop)];
  for (const open of repositories) {
    const repository = await open();
    for (const program of programs) {
      const complete = await unpackWithLibraries(repository, program, root);
      const binary = complete ? await moveIntoCache(root, home, programs) : undefined;
      if (binary !== undefined) return { binary };
      await rm(root, { recursive: true, force: true });
    }
  }
  return { reason: `the distribution's package could not be fetched with apt-get download` };
}

/** Unpacks the program's package, then what it depends on, level by level, until nothing is missing. */
async function unpackWithLibraries(repository: AptRepository, program: string, root: string): Promise<boolean> {
  const seen = new Set<string>();
  let level = [program];
  for (let depth = 0; depth < MOST_LEVELS && level.length > 0; depth++) {
    if (!(await repository.unpack(level, root))) return false;
    if (await isComplete(root, program)) return true;
    level.forEach((name) => seen.add(name));
    level = (await repository.missingDependencies(level)).filter((name) => !seen.has(name));
  }
  return false;
}

/** The program may be a link into a package that is still to come, and may lack libraries. */
async function isComplete(root: string, program: string): Promise<boolean> {
  const path = join(root, 'usr/bin', program);
  if (!existsSync(path)) return false;
  const { command, args } = commandLine('ldd', [path], await libraryPathIn(root));
  const { ok, stdout } = await run(command, args);
  return ok && !stdout.includes('not found');
}

/** By renames alone, so that nobody ever sees half a folder. Whoever comes second uses what the first has put there. */
async function moveIntoCache(
  root: string,
  home: string,
  programs: readonly string[],
): Promise<RedisBinary | undefined> {
  if (!(await renameOntoNothing(root, home))) {
    const other = await identifyUnpacked(home, programs);
    if (other !== undefined) return other;
    // What lies there does not run, perhaps since an upgrade of the system.
    await rename(home, `${root}-broken`);
    await renameOntoNothing(root, home);
  }
  return identifyUnpacked(home, programs);
}

/** False when there is something already. */
async function renameOntoNothing(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

async function identifyUnpacked(root: string, programs: readonly string[]): Promise<RedisBinary | undefined> {
  for (const program of programs) {
    const path = join(root, 'usr/bin', program);
    if (!existsSync(path)) continue;
    const binary = await identifyRedisBinary(path, 'package', await libraryPathIn(root));
    if (binary !== undefined) return binary;
  }
  return undefined;
}

/** Both places where packages put libraries, each with a folder per processor family. */
async function libraryPathIn(root: string): Promise<string | undefined> {
  const folders: string[] = [];
  for (const base of [join(root, 'usr/lib'), join(root, 'lib')]) {
    const entries = await readdir(base, { withFileTypes: true }).catch(() => []);
    folders.push(...entries.filter(({ name }) => name.includes('-linux-')).map(({ name }) => join(base, name)));
  }
  return folders.length > 0 ? folders.join(':') : undefined;
}

/** Such as `debian-12-x64`: what was fetched for one release does not run on another. */
async function debianRelease(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const isDebian = [field('ID'), ...field('ID_LIKE').split(' ')].some((id) => id === 'debian' || id === 'ubuntu');
  return isDebian ? `${field('ID')}-${field('VERSION_ID') || 'testing'}-${process.arch}` : undefined;
}
