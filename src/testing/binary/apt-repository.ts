import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.js';

const DOWNLOAD_TIMEOUT_MS = 180_000;
const SERVER_PACKAGE = /^(redis|valkey)-/;

/** apt, used without root: it reads package lists, downloads packages into a folder, and unpacks them. */
export class AptRepository {
  private constructor(
    private readonly workshop: string,
    private readonly options: readonly string[],
  ) {}

  /** With the package lists that the system has. They may be missing, as in a fresh container, or out of date. */
  static async ofSystem(workshop: string): Promise<AptRepository> {
    return new AptRepository(workshop, []);
  }

  /** With package lists of our own, fetched now into the workshop. */
  static async withFreshLists(workshop: string): Promise<AptRepository> {
    const lists = join(workshop, 'lists');
    const cache = join(workshop, 'cache');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(cache, 'archives/partial'), { recursive: true });
    const options = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`, '-o', 'APT::Sandbox::User=root'];
    // One source that fails is no reason to give up: whether the package is to be had shows in the download.
    await run('apt-get', [...options, 'update'], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
    return new AptRepository(workshop, options);
  }

  /** Downloads the packages and unpacks them under `root`. False when one is not to be had. */
  async unpack(packages: readonly string[], root: string): Promise<boolean> {
    const folder = await mkdtemp(join(this.workshop, 'deb-'));
    const options = { cwd: folder, timeoutMs: DOWNLOAD_TIMEOUT_MS };
    const downloaded = await run('apt-get', [...this.options, 'download', ...packages], options);
    if (!downloaded.ok) return false;
    await mkdir(root, { recursive: true });
    for (const file of await readdir(folder)) {
      if (!(await run('dpkg', ['-x', join(folder, file), root])).ok) return false;
    }
    await rm(folder, { recursive: true });
    return true;
  }

  /**
   * What the packages depend on, without the libraries that are installed: the loader finds those by itself, and a C library
   * of our own beside the system's would not even start. An installed server, though, is not where we looked for it.
   */
  async missingDependencies(packages: readonly string[]): Promise<string[]> {
    const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
      (kind) => `--no-${kind}`,
    );
    const { stdout } = await run('apt-cache', [...this.options, 'depends', ...kinds, ...packages]);
    const names = [...stdout.matchAll(/^ [ |](?:Pre)?Depends: (?<name>[a-z0-9][a-z0-9+.-]*)$/gm)];
    const missing: string[] = [];
    for (const name of new Set(names.map(({ groups }) => groups?.['name'] as string))) {
      if (SERVER_PACKAGE.test(name) || !(await isInstalled(name))) missing.push(name);
    }
    return missing;
  }
}

async function isInstalled(name: string): Promise<boolean> {
  const { ok, stdout } = await run('dpkg-query', ['-W', '-f', '${db:Status-Status}\n', name]);
  return ok && /^installed$/m.test(stdout);
}
