import { Inject, Injectable, Optional, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { RedisConnections } from '../core/redis/redis-connections.js';
import { RefusalLog } from '../core/redis/refusal-log.js';
import { publishCounters } from '../core/telemetry/publish-counters.js';
import { CLOCK, systemClock, type Cancel, type Clock } from '../core/time/clock.js';
import { timerOption } from '../core/time/duration-option.js';
import { byIp } from './callers/by-ip.js';
import { Announcements } from './engine/announcements.js';
import { Limiter } from './engine/limiter.js';
import { LocalLimits } from './engine/local-limits.js';
import { RedisLimits } from './engine/redis-limits.js';
import { Refusals } from './engine/refusals.js';
import { Slots } from './engine/slots.js';
import { PolicyRegistry } from './policies/policy-registry.js';
import { newThrottlerCounters } from './throttler-counters.js';
import { THROTTLER_OPTIONS } from './throttler.module-definition.js';
import type { ThrottlerModuleOptions } from './throttler.options.js';

const DEFAULT_MAX_CALLERS = 10_000;

/** What the guard and `RateLimiter` stand on, once per application. */
@Injectable()
export class ThrottlerRuntime implements OnModuleInit, BeforeApplicationShutdown {
  readonly counters = newThrottlerCounters();
  readonly policies: PolicyRegistry;
  readonly redis: RedisLimits;
  readonly limiter: Limiter;
  readonly #refusals: Refusals | null;
  readonly #slots: Slots;
  readonly #announcements: Announcements;
  readonly #cancels: Cancel[] = [];

  constructor(
    @Inject(THROTTLER_OPTIONS) readonly options: ThrottlerModuleOptions,
    connections: RedisConnections,
    @Optional() @Inject(CLOCK) clock: Clock = systemClock,
  ) {
    const { instances = 1, maxCallers = DEFAULT_MAX_CALLERS, tracker = byIp(), whenRedisIsDown = 'local' } = options;
    checkWhole('instances', instances, 1);
    checkWhole('maxCallers', maxCallers, 0);
    const connection = connections.get(options.connection);
    const deadlineMs = timerOption(options.redisDeadline ?? '50ms', 'ThrottlerModule: redisDeadline');
    this.policies = new PolicyRegistry(options.policies ?? [], { tracker, whenRedisIsDown }, connection.keyPrefix);
    this.redis = new RedisLimits(connection, clock, deadlineMs);
    this.#refusals = maxCallers === 0 ? null : new Refusals(clock, maxCallers);
    this.#slots = new Slots(this.redis, clock);
    this.#announcements = new Announcements(connection, clock);
    this.limiter = new Limiter({
      redis: this.redis,
      local: new LocalLimits(clock, instances, Math.max(1, maxCallers), (key) => this.#slots.heldOf(key)),
      refusals: this.#refusals,
      slots: this.#slots,
      counters: this.counters,
      refusalLog: new RefusalLog('ThrottlerModule', 'Rate limits are decided'),
    });
  }

  onModuleInit(): void {
    this.#cancels.push(publishCounters('throttler', {}, this.counters));
    const refusals = this.#refusals;
    if (refusals === null) return;
    this.#announcements.listen(
      (callerKey) => refusals.forget(callerKey),
      () => refusals.clear(),
    );
  }

  beforeApplicationShutdown(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#announcements.close();
    this.#slots.close();
  }

  /** Tells every process to forget that the caller is refused. Where the word does not arrive, a refusal holds until its own end. */
  async forget(callerKey: string): Promise<void> {
    this.#refusals?.forget(callerKey);
    await this.#announcements.tell(callerKey);
  }
}

function checkWhole(option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ConfigurationError(`ThrottlerModule: ${option} must be a whole number from ${least} on; it is ${value}.`);
}
