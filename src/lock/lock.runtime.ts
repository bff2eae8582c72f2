import { Inject, Injectable, Optional, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import type { RedisConnection } from '../core/redis/redis-connection.js';
import { RedisConnections } from '../core/redis/redis-connections.js';
import { publishCounters } from '../core/telemetry/publish-counters.js';
import { CLOCK, systemClock, type Cancel, type Clock } from '../core/time/clock.js';
import { Claims } from './engine/claims.js';
import { Leavings } from './engine/leavings.js';
import { LockKeySpace } from './engine/lock-keys.js';
import type { LockServers } from './engine/lock-servers.js';
import { Locker } from './engine/locker.js';
import { openServers } from './engine/open-servers.js';
import { Queue } from './engine/queue.js';
import { Wakes } from './engine/wakes.js';
import { Works } from './engine/works.js';
import { resolveLockConfig, type LockConfig } from './lock-config.js';
import { newLockCounters } from './lock-counters.js';
import { LockEvents } from './lock.events.js';
import { LOCK_OPTIONS } from './lock.module-definition.js';
import type { LockModuleOptions } from './lock.options.js';

/** What `LockService` stands on, once per application. */
@Injectable()
export class LockRuntime implements OnModuleInit, BeforeApplicationShutdown {
  readonly config: LockConfig;
  readonly counters = newLockCounters();
  readonly events = new LockEvents();
  readonly keys: LockKeySpace;
  readonly servers: LockServers;
  readonly locker: Locker;
  readonly works: Works;
  readonly #connection: RedisConnection;
  readonly #queue: Queue;
  readonly #wakes: Wakes | null;
  readonly #leavings: Leavings;
  readonly #cancels: Cancel[] = [];

  constructor(
    @Inject(LOCK_OPTIONS) options: LockModuleOptions,
    connections: RedisConnections,
    @Optional() @Inject(CLOCK) readonly clock: Clock = systemClock,
  ) {
    this.config = resolveLockConfig(options);
    const { servers, connection } = openServers(this.config, connections, clock);
    const { counters, events } = this;
    this.servers = servers;
    this.#connection = connection;
    this.keys = new LockKeySpace(connection);
    this.works = new Works(clock);
    const leavings = new Leavings(servers, clock);
    this.#leavings = leavings;
    this.#wakes = this.config.quorum === null ? new Wakes(connection, () => leavings.retry()) : null;
    this.#queue = new Queue({ servers, wakes: this.#wakes, leavings, clock, counters, connection: connection.name });
    this.locker = new Locker({
      servers,
      claims: new Claims(this.#wakes?.channel ?? '', !connection.client.isCluster),
      queue: this.#queue,
      leavings,
      clock,
      counters,
      events,
      connection: connection.name,
    });
  }

  /** The Redis of everything that needs one, and not several that know nothing of each other. */
  oneRedis(what: string): RedisConnection {
    if (this.config.quorum === null) return this.#connection;
    throw new ConfigurationError(
      `${what} needs one Redis; LockModule has a quorum, whose servers know nothing of each other.`,
    );
  }

  onModuleInit(): void {
    this.#cancels.push(publishCounters('lock', {}, this.counters));
    this.#cancels.push(
      this.#connection.health.onChange(({ state }) => {
        if (state === 'up') this.#leavings.retry();
      }),
    );
  }

  /** Functions under way may end; then everything is given back, before the connections end. */
  async beforeApplicationShutdown(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.locker.stop();
    this.#queue.close();
    this.#wakes?.close();
    await this.works.untilIdle(this.config.drainMs);
    await this.locker.releaseAll(this.config.deadlineMs);
  }
}
