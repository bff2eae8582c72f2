import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigurationError } from '../errors/configuration.error.js';
import { RedisUnavailableError } from '../errors/redis.errors.js';
import { publishCounters } from '../telemetry/publish-counters.js';
import type { Cancel } from '../time/clock.js';
import { DEFAULT_CONNECTION, resolveRedisConfig } from './config/redis-config.js';
import { RedisConnection } from './redis-connection.js';
import type { HealthStatus } from './connection-health.js';
import { REDIS_OPTIONS } from './redis.module-definition.js';
import type { RedisModuleOptions } from './config/redis.options.js';

/**
 * Every connection of the application, by name. They connect while the application boots, and end only in `onApplicationShutdown`, when the
 * consumers of every module have drained.
 */
@Injectable()
export class RedisConnections implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('RedisModule');
  readonly #connections = new Map<string, RedisConnection>();
  readonly #cancels: Cancel[] = [];
  readonly #required = new Set<string>();

  constructor(@Inject(REDIS_OPTIONS) options: RedisModuleOptions) {
    for (const config of resolveRedisConfig(options)) {
      this.#connections.set(config.name, new RedisConnection(config));
      if (config.required) this.#required.add(config.name);
    }
  }

  /** The connection of that name. Throws `ConfigurationError`, listing those there are. */
  get(name: string = DEFAULT_CONNECTION): RedisConnection {
    const connection = this.#connections.get(name);
    if (connection !== undefined) return connection;
    const known = [...this.#connections.keys()].map((key) => `'${key}'`).join(', ');
    throw new ConfigurationError(
      `There is no Redis connection '${name}'; there are ${known}. Add it to 'connections' in RedisModule.forRoot().`,
    );
  }

  /** Rejects when a required connection cannot be made; then all of them are closed, so that nothing keeps the process alive. */
  async onModuleInit(): Promise<void> {
    try {
      await Promise.all([...this.#connections.values()].map((connection) => this.#open(connection)));
    } catch (error) {
      await this.onApplicationShutdown();
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }

  async #open(connection: RedisConnection): Promise<void> {
    const { name, health, counters } = connection;
    this.#cancels.push(publishCounters('redis', { connection: name }, counters));
    const usable = await connection.connect();
    const { state, reason } = health.status;
    if (!usable && this.#required.has(name)) {
      const cause = new Error(`A required connection could not be made${why(reason)}.`);
      throw new RedisUnavailableError('not-connected', { connection: name, mayHaveRun: false, cause });
    }
    if (state !== 'up') {
      const what = usable ? 'reaches some of its nodes only' : 'is out of reach';
      this.#logger.warn(`Redis connection '${name}' ${what}${why(reason)}. Going on, and trying again.`);
    }
    this.#cancels.push(health.onChange((status) => this.#log(name, status)));
  }

  #log(name: string, { state, reason }: HealthStatus): void {
    if (state === 'up') this.#logger.log(`Redis connection '${name}' is up.`);
    else this.#logger.warn(`Redis connection '${name}' is ${state}${why(reason)}.`);
  }
}

function why(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}
