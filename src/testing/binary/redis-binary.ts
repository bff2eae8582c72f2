import { run } from './run.js';

/** Which of the two servers a program is. */
export type RedisFlavour = 'redis' | 'valkey';

/** A server program that was found and has answered `--version`. */
export interface RedisBinary {
  readonly path: string;
  readonly flavour: RedisFlavour;
  /** The server's own version, such as `7.0.15`. For a Valkey it is Valkey's, not the Redis version that it reports for compatibility. */
  readonly version: string;
  /** Where it came from: `REDIS_SERVER_BIN` or an option, the PATH, or the distribution's package. */
  readonly source: 'given' | 'path' | 'package';
  /** A folder of shared libraries that the program needs besides the system's. */
  readonly libraryPath?: string;
}

const BANNER = /^(?<name>Redis|Valkey) server v=(?<version>\S+)/im;

/** Asks the program who it is. Undefined when it is missing, does not run, or is no Redis. One short process. */
export async function identifyRedisBinary(
  path: string,
  source: RedisBinary['source'],
  libraryPath?: string,
): Promise<RedisBinary | undefined> {
  const { command, args } = commandLine(path, ['--version'], libraryPath);
  const groups = BANNER.exec((await run(command, args)).stdout)?.groups;
  if (groups === undefined) return undefined;
  const flavour = groups['name']?.toLowerCase() === 'valkey' ? 'valkey' : 'redis';
  const libraries = libraryPath === undefined ? {} : { libraryPath };
  return { path, flavour, version: groups['version'] as string, source, ...libraries };
}

/** How a program is run with a library path: `env` sets it, then becomes the program, so that both have one process id. */
export function commandLine(
  program: string,
  args: readonly string[],
  libraryPath: string | undefined,
): { readonly command: string; readonly args: readonly string[] } {
  if (libraryPath === undefined) return { command: program, args };
  return { command: '/usr/bin/env', args: [`LD_LIBRARY_PATH=${libraryPath}`, program, ...args] };
}
