import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import type { Cancel } from '../../core/time/clock.js';
import { CacheRegistry } from '../cache-registry.js';
import type { Cache } from '../cache.js';
import { CACHE_OPTIONS } from '../cache.module-definition.js';
import { findRules, type FoundRule } from './find-rules.js';
import type { Invalidation } from './invalidation.js';
import type { InvalidationOptions } from './invalidation.options.js';
import { resolveEvents } from './resolve-events.js';

/** How long a shutdown waits for asynchronous rules. */
const DRAIN_MS = 2_000;

/**
 * Carries out the rules of `@InvalidateOn`, from boot until the last request has been answered: requests that are finished during the shutdown
 * still make events.
 */
@Injectable()
export class InvalidationRules implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #logger = new Logger('CacheModule');
  readonly #cancels: Cancel[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(
    @Inject(CACHE_OPTIONS) private readonly options: InvalidationOptions,
    private readonly registry: CacheRegistry,
    private readonly discovery: DiscoveryService,
    private readonly modules: ModuleRef,
  ) {}

  /** Throws `ConfigurationError` for a rule that cannot work: no source of events, no such cache, no lasting instance. */
  onModuleInit(): void {
    const rules = findRules(this.discovery).map((rule) => ({ rule, cache: this.registry.get(rule.cache) }));
    if (rules.length === 0) return;
    const events = resolveEvents(this.options, this.modules);
    for (const { rule, cache } of rules) {
      const listener = (...event: unknown[]): Promise<void> => this.#track(this.#carryOut(rule, cache, event));
      events.on(rule.event, listener);
      this.#cancels.push(() => events.off(rule.event, listener));
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
    this.#running.clear();
  }

  onApplicationShutdown(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** Never rejects. Synchronous up to the rule's first await, so that the cache knows before the emitter goes on. */
  async #carryOut(rule: FoundRule, cache: Cache, event: readonly unknown[]): Promise<void> {
    try {
      const answer = ask(rule, event);
      const invalidation = isPromiseLike(answer) ? await answer : answer;
      if (invalidation) await invalidate(cache, invalidation);
    } catch (error) {
      this.#report(rule, error);
    }
  }

  #track(running: Promise<void>): Promise<void> {
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    return running;
  }

  /** Of the error only its name and where it arose: its message may quote what the event carried. */
  #report({ instance, method, event }: FoundRule, error: unknown): void {
    const name = error instanceof Error ? error.name : typeof error;
    const frames = error instanceof Error ? error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) : undefined;
    this.#logger.error(
      `The rule ${instance.constructor.name}.${String(method)} failed on '${String(event)}' (${name}): stale entries may live until their TTL.`,
      frames?.join('\n'),
    );
  }
}

type Answer = Invalidation | null | undefined;

function ask({ instance, method }: FoundRule, event: readonly unknown[]): Answer | PromiseLike<Answer> {
  const rule = (instance as Record<string | symbol, (...event: readonly unknown[]) => Answer | PromiseLike<Answer>>)[
    method
  ];
  return rule?.apply(instance, [...event]);
}

/** Promises of other libraries, and query builders, are no instances of `Promise`. */
function isPromiseLike(answer: Answer | PromiseLike<Answer>): answer is PromiseLike<Answer> {
  return typeof (answer as Partial<PromiseLike<Answer>> | null | undefined)?.then === 'function';
}

async function invalidate(cache: Cache, { keys, tags, segments }: Invalidation): Promise<void> {
  const told: Promise<unknown>[] = (segments ?? []).map((name) => cache.invalidateSegment(name));
  if (keys !== undefined && keys.length > 0) told.push(cache.deleteMany(keys));
  if (tags !== undefined && tags.length > 0) told.push(cache.invalidateTags(tags));
  await Promise.all(told);
}
