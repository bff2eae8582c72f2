export {
  findRedisBinary,
  type FindRedisBinaryOptions,
  type RedisBinaryEnvironment,
} from './binary/find-redis-binary.js';
export type { RedisBinary, RedisFlavour } from './binary/redis-binary.js';
export { eventually, EventuallyError, type EventuallyOptions } from './eventually.js';
export { FakeClock } from './fake-clock.js';
export type { CommandArgument } from './redis/admin-command.js';
export type { RedisNode, RedisRole } from './redis/redis-node.js';
export { SENTINEL_MASTER_NAME, type RedisServer, type RedisServerConnectionOptions } from './redis/redis-server.js';
export type { RedisDirectives } from './redis/server-config.js';
export { startRedis } from './redis/start-redis.js';
export type {
  RedisTopology,
  StartClusterOptions,
  StartRedisOptions,
  StartSentinelOptions,
  StartStandaloneOptions,
} from './redis/start-redis.options.js';
export { RedisBinaryNotFoundError, RedisServerError } from './testing.errors.js';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
