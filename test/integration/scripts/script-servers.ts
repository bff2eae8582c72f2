import { Cluster, Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../src/testing/index.js';

export type ScriptTopology = 'standalone' | 'cluster';

/** Servers and a client of them, for the tests of scripts. */
export class ScriptServers {
  private constructor(
    readonly server: RedisServer,
    readonly client: Redis | Cluster,
  ) {}

  static async start(topology: ScriptTopology): Promise<ScriptServers> {
    const server = await startRedis({ topology });
    const nodes = server.masters.map(({ host, port }) => ({ host, port }));
    if (topology === 'standalone') return new ScriptServers(server, new Redis(server.url));
    const client = new Cluster(nodes);
    // Commands are put between others on one connection, so the connections have to be there.
    await Promise.all(nodes.map((_, place) => client.set(`{${place}}warm`, '')));
    await Promise.all(client.nodes('master').map((node) => node.ping()));
    return new ScriptServers(server, client);
  }

  /** The connections that commands are written to: one per master. */
  get connections(): Redis[] {
    return this.client instanceof Cluster ? this.client.nodes('master') : [this.client];
  }

  /** Forgets every script, in order with the commands that are already written. */
  flushScripts(): Promise<unknown> {
    return Promise.all(this.connections.map((connection) => connection.script('FLUSH')));
  }

  loadScript(source: string): Promise<unknown> {
    return Promise.all(this.connections.map((connection) => connection.script('LOAD', source)));
  }

  /** How often each command ran on all masters together since the last call. */
  async countCommands(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const node of this.server.masters) {
      const info = String(await node.command('INFO', 'commandstats'));
      for (const [, name = '', calls] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
        if (/^(eval|script)/.test(name)) counts[name] = (counts[name] ?? 0) + Number(calls);
      }
      await node.command('CONFIG', 'RESETSTAT');
    }
    return counts;
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    await this.server.stop();
  }
}
