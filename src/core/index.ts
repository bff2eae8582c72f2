export { aroundMethod, type Aspect, type DecoratedMethod, type MethodCall } from './aspects/around-method.js';
export { AspectNotBoundError } from './aspects/aspect-not-bound.error.js';
export type { Codec } from './codec/codec.js';
export { DecodeError, EncodeError } from './codec/codec.errors.js';
export { jsonCodec } from './codec/json.codec.js';
export { structuredCodec } from './codec/structured.codec.js';
export { ConfigurationError } from './errors/configuration.error.js';
export { RedisReplyError, RedisUnavailableError, type UnavailableReason } from './errors/redis.errors.js';
export { RookeryError, type ErrorContext, type RookeryErrorOptions } from './errors/rookery-error.js';
export { KeyEncodingError } from './keys/key-encoding.error.js';
export { encodeKey } from './keys/key-encoding.js';
export { type KeyPart, type KeyParts, toKeyParts } from './keys/key-part.js';
export { KeySpace } from './keys/key-space.js';
export { BlockingConnection } from './redis/clients/blocking-connection.js';
export type { ConnectionCounters } from './redis/connection-counters.js';
export { ConnectionHealth, type HealthState, type HealthStatus } from './redis/connection-health.js';
export { InjectRedis, redisToken } from './redis/inject-redis.decorator.js';
export { RedisConnection, type CommandArgument, type ScanOptions, type SendOptions } from './redis/redis-connection.js';
export { RedisConnections } from './redis/redis-connections.js';
export { RedisModule } from './redis/redis.module.js';
export type {
  ClusterRedisOptions,
  ExistingClientOptions,
  RedisAddress,
  RedisBehaviour,
  RedisConnectionOptions,
  RedisCredentials,
  RedisModuleOptions,
  SentinelRedisOptions,
  SingleRedisOptions,
} from './redis/config/redis.options.js';
export { SubscriberConnection, type MessageListener } from './redis/clients/subscriber-connection.js';
export type { StreamState } from './redis/clients/stream-state.js';
export type { ChangeFeed, FeedKind } from './redis/tracking/change-feed.js';
export { defineScript, type Script, type ScriptDefinition } from './scripts/define-script.js';
export { ScriptArgumentError } from './scripts/script-argument.error.js';
export { ScriptReplyError } from './scripts/script-reply.error.js';
export { ScriptRunner, type ScriptCall } from './scripts/script-runner.js';
export type { ScriptSendOptions, ScriptTransport, ScriptWord } from './scripts/script-transport.js';
export { publishCounters } from './telemetry/publish-counters.js';
export { CLOCK, systemClock, type Cancel, type Clock } from './time/clock.js';
export { InvalidDurationError } from './time/duration.errors.js';
export { durationMs, type Duration } from './time/duration.js';
