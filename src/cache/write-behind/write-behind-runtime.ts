import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { publishCounters } from '../../core/telemetry/publish-counters.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import type { WriteBehindSettings } from './define-write-behind.js';
import { Delivery } from './delivery/delivery.js';
import { Flusher } from './delivery/flusher.js';
import { QuietLog } from './delivery/quiet-log.js';
import { warnOfEviction } from './eviction-warning.js';
import type { Journal } from './journal/journal.js';
import { MemoryJournal } from './journal/memory-journal.js';
import { RedisJournal } from './journal/redis-journal.js';
import { valueFormat } from './value-format.js';
import { resolveWriteBehindConfig } from './write-behind-config.js';
import { newWriteBehindCounters } from './write-behind-counters.js';
import type { WriteBehindKey } from './write-behind-key.js';
import type { WriteBehindOptions } from './write-behind.options.js';
import { WriteBehind } from './write-behind.js';

/** The names in use in each application. A name is one token: who injects it could be given either of two journals. */
const REGISTERED = new WeakMap<ModulesContainer, Set<string>>();

/** One journal with all that belongs to it, from the application's start to its end. */
export class WriteBehindRuntime<Value, Key extends WriteBehindKey>
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  readonly writeBehind: WriteBehind<Value, Key>;
  readonly #logger = new Logger('WriteBehind');
  readonly #journal: Journal;
  readonly #flusher: Flusher;
  #stopCounting: Cancel | undefined;

  /**
   * @param connection where the journal is; null for one in this process
   * @param application throws `ConfigurationError` when it has a journal of that name
   */
  constructor(
    private readonly settings: WriteBehindSettings<Value>,
    options: WriteBehindOptions<Value, Key>,
    private readonly connection: RedisConnection | null,
    clock: Clock,
    application: ModulesContainer,
  ) {
    const config = resolveWriteBehindConfig(settings, options);
    register(config.name, application);
    const format = valueFormat(settings);
    const counters = newWriteBehindCounters();
    const log = new QuietLog(config.name, clock);
    this.#journal = connection === null ? new MemoryJournal(config, clock) : new RedisJournal(config, connection);
    const delivery = new Delivery(config, format, this.#journal, clock, counters, log);
    this.#flusher = new Flusher(config, this.#journal, delivery, clock, counters, log);
    this.writeBehind = new WriteBehind(config, format, this.#journal, this.#flusher, counters);
  }

  onApplicationBootstrap(): void {
    const { name } = this.settings;
    this.#stopCounting = publishCounters('write_behind', { journal: name }, this.writeBehind.counters);
    if (this.connection !== null) void warnOfEviction(name, this.connection);
    this.#flusher.start();
  }

  /** Drains. What could not be flushed is left to other processes, or lost where the journal is in this one. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#journal.close();
    await this.#flusher.stop();
    this.#stopCounting?.();
    const size = await this.#journal.size().catch(() => null);
    const left = size === null ? 0 : size.waiting + size.inFlight;
    if (left === 0) return;
    const fate = this.connection === null ? 'are lost with this process' : 'stay in the journal';
    this.#logger.warn(`Write-behind '${this.settings.name}': ${left} entries were not flushed, and ${fate}.`);
  }
}

function register(name: string, application: ModulesContainer): void {
  const names = REGISTERED.get(application) ?? new Set();
  if (names.has(name)) {
    throw new ConfigurationError(
      `CacheModule.forWriteBehind: '${name}' is registered twice. Register it in one module and inject it elsewhere.`,
    );
  }
  REGISTERED.set(application, names.add(name));
}
