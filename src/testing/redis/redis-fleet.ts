import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { RedisBinary } from '../binary/redis-binary.js';
import { eventually } from '../eventually.js';
import { RedisServerError } from '../testing.errors.js';
import { returnPorts } from './free-ports.js';
import { PrivateFolder } from './private-folder.js';
import { worksIn } from './process-state.js';
import type { RedisAccess } from './redis-address.js';
import { RedisNode, type RedisRole } from './redis-node.js';
import { createSelfSignedCertificate, type SelfSignedCertificate } from './self-signed-certificate.js';
import { renderConfig, type Directive } from './server-config.js';
import type { CertificateFiles, ServerPlace } from './server-directives.js';
import type { StartRedisConfig } from './start-redis.options.js';

/** The nodes of one `startRedis` call and the folder that they share: started one by one, ended together. */
export class RedisFleet {
  readonly access: RedisAccess;
  readonly #folder = new PrivateFolder();
  readonly #nodes: RedisNode[] = [];
  readonly #unusedPorts: number[];
  readonly #certificate: SelfSignedCertificate | undefined;

  constructor(
    private readonly config: StartRedisConfig,
    private readonly binary: RedisBinary,
    private readonly ports: readonly number[],
  ) {
    const { username, password } = config;
    this.#unusedPorts = [...ports];
    this.#certificate = config.tls ? createSelfSignedCertificate() : undefined;
    this.access = {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(this.#certificate === undefined ? {} : { tls: { ca: this.#certificate.cert } }),
    };
  }

  get dataDir(): string {
    return this.config.dataDir === undefined ? this.#folder.path : resolve(this.config.dataDir);
  }

  /** Starts a server on the next port, in a folder of its own, with the directives that `describe` gives for that place. */
  async start(role: RedisRole, describe: (place: ServerPlace) => readonly Directive[]): Promise<RedisNode> {
    const port = this.#unusedPorts.shift() as number;
    const home = join(this.#folder.path, `${role}-${port}`);
    await mkdir(home);
    const folder = this.config.dataDir === undefined ? home : await claimDataDir(this.config.dataDir);
    const configFile = join(home, 'redis.conf');
    const directives = describe({ port, folder, tls: await this.#writeCertificate(home) });
    await writeFile(configFile, renderConfig(directives, role === 'sentinel' ? {} : this.config.args), { mode: 0o600 });
    const { binary } = this;
    const access = role === 'sentinel' ? this.#sentinelAccess() : this.access;
    const node = new RedisNode({ role, port, binary, folder, configFile, logFile: join(folder, 'redis.log'), access });
    this.#nodes.push(node);
    await node.start();
    return node;
  }

  /** Ends every node, in order when its data is to be kept, and removes the private folder. */
  async stop(): Promise<void> {
    const keep = this.config.dataDir !== undefined;
    await Promise.all(this.#nodes.map((node) => (keep ? node.stop() : node.kill())));
    await this.#folder.remove();
    returnPorts(this.ports);
  }

  #sentinelAccess(): RedisAccess {
    const { sentinelPassword } = this.config;
    return {
      ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
      ...(this.access.tls === undefined ? {} : { tls: this.access.tls }),
    };
  }

  async #writeCertificate(folder: string): Promise<CertificateFiles | undefined> {
    if (this.#certificate === undefined) return undefined;
    const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    await writeFile(files.certFile, this.#certificate.cert);
    await writeFile(files.keyFile, this.#certificate.key, { mode: 0o600 });
    return files;
  }
}

/**
 * The real path of the folder, made when missing. Two servers on one folder would destroy its data, so one that still
 * works there is waited for a moment, as it may be on its way out, and then refused.
 */
async function claimDataDir(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const folder = await realpath(dataDir);
  await eventually(
    async () => {
      const pid = Number(await readFile(join(folder, 'redis.pid'), 'utf8').catch(() => '0'));
      if (pid > 0 && (await worksIn(pid, folder))) {
        throw new RedisServerError(
          `Another Redis server (process ${pid}) uses the data folder ${folder}. Stop it first.`,
        );
      }
    },
    { within: '2s', every: '50ms' },
  );
  return folder;
}
