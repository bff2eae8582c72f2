import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { RedisBinaryNotFoundError } from '../testing.errors.js';
import { installDebianPackage } from './debian-package.js';
import { identifyRedisBinary, type RedisBinary } from './redis-binary.js';

/** The environment variables that the search looks at. */
export interface RedisBinaryEnvironment {
  readonly REDIS_SERVER_BIN?: string | undefined;
  readonly PATH?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
}

/** Where {@link findRedisBinary} looks, and where it keeps what it fetches. */
export interface FindRedisBinaryOptions {
  /** Default: `process.env`. */
  readonly env?: RedisBinaryEnvironment;
  /** Where a fetched package is kept. Default: `$XDG_CACHE_HOME/rookery`, else `.cache/rookery` in the working directory. */
  readonly cacheDir?: string;
}

/** Valkey first: it is the free one, and a machine that has both has most likely chosen it. */
const PROGRAMS = ['valkey-server', 'redis-server'] as const;

/**
 * Finds a server to run, and knows that it runs: each candidate has answered `--version`.
 *
 * In this order: `REDIS_SERVER_BIN`; `valkey-server` or `redis-server` on the PATH; on Debian and Ubuntu the
 * distribution's package, fetched without root into the cache folder (a few MB, once; later calls find it there, and
 * callers that fetch at the same time do not disturb each other). It never installs anything into the system.
 *
 * @throws {RedisBinaryNotFoundError} when there is none, naming the apt, brew and docker commands that get one; and when
 * `REDIS_SERVER_BIN` is set but does not run, because silently using another server would hide the mistake.
 */
export async function findRedisBinary(options: FindRedisBinaryOptions = {}): Promise<RedisBinary> {
  // eslint-disable-next-line no-restricted-properties -- a helper for tests has no configuration folder to be told by
  const env: RedisBinaryEnvironment = options.env ?? process.env;
  if (env.REDIS_SERVER_BIN) return requireRedisBinary(env.REDIS_SERVER_BIN, 'REDIS_SERVER_BIN');

  const onPath = await searchPath(env.PATH ?? '');
  if (onPath !== undefined) return onPath;

  const cacheDir = options.cacheDir ?? join(env.XDG_CACHE_HOME || '.cache', 'rookery');
  const installed = await installDebianPackage(cacheDir, PROGRAMS);
  if (installed.binary !== undefined) return installed.binary;
  throw notFound(installed.reason);
}

/** The program at `path`, which `givenBy` names. */
export async function requireRedisBinary(path: string, givenBy: string): Promise<RedisBinary> {
  const binary = await identifyRedisBinary(path, 'given');
  if (binary === undefined) {
    throw new RedisBinaryNotFoundError(
      `${givenBy} is '${path}', which is not a Redis or Valkey server that runs here. ` +
        'Give the path of a redis-server or valkey-server program, or leave it out to have one found.',
    );
  }
  return binary;
}

async function searchPath(path: string): Promise<RedisBinary | undefined> {
  for (const program of PROGRAMS) {
    for (const folder of path.split(delimiter).filter(Boolean)) {
      const candidate = join(folder, program);
      if (!(await isExecutable(candidate))) continue;
      const binary = await identifyRedisBinary(candidate, 'path');
      if (binary !== undefined) return binary;
    }
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function notFound(packageReason: string): RedisBinaryNotFoundError {
  return new RedisBinaryNotFoundError(
    [
      `No Redis or Valkey server was found: REDIS_SERVER_BIN is not set, none is on the PATH, and ${packageReason}.`,
      'Any one of these helps:',
      '  Debian, Ubuntu   sudo apt-get install redis-server',
      '  macOS            brew install valkey',
      '  Docker           docker run --rm -p 6379:6379 valkey/valkey:8, then set REDIS_URL=redis://127.0.0.1:6379',
    ].join('\n'),
  );
}
