import type { RedisConnectionOptions } from '../../../src/core/redis/config/redis.options.js';
import { startTcpProxy, type RedisServer, type TcpProxy } from '../../../src/testing/index.js';

/** A server as one process sees it, over a network of its own. */
export interface ProxiedServer {
  readonly options: RedisConnectionOptions;
  readonly proxies: readonly TcpProxy[];
}

/** Puts a proxy before each node of a standalone server or a Cluster. The caller stops them. */
export async function proxied(server: RedisServer): Promise<ProxiedServer> {
  const proxies = await Promise.all(server.nodes.map((node) => startTcpProxy(node)));
  const addresses = proxies.map(({ host, port }) => ({ host, port }));
  const [first] = addresses as [{ host: string; port: number }];
  if (server.topology !== 'cluster') return { proxies, options: { url: `redis://${first.host}:${first.port}` } };
  const natMap = Object.fromEntries(
    server.nodes.map(({ host, port }, i) => [`${host}:${port}`, addresses[i] as (typeof addresses)[0]]),
  );
  return { proxies, options: { cluster: { nodes: addresses, natMap } } };
}
