import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisUnavailableError } from '../../../src/core/errors/redis.errors.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import {
  LockLostError,
  LockModule,
  LockNotAcquiredError,
  LockService,
  type LockHandle,
  type LockOptions,
} from '../../../src/lock/index.js';
import { nowUs } from '../job-process.js';
import type { Claim, Wish } from './claims.js';
import type { AskSettings, HeldLock, Locks } from './held-lock.js';
import type { OpenSettings } from './protocol.js';
import { Stalls } from './stalls.js';

/** The root module, which imports what it was told of. */
class ChildModule {}

/** Locks as an application has them. */
export class RookeryLocks implements Locks {
  readonly service: LockService;
  readonly #stalls = new Stalls();
  #claims = 0;
  /** One ask at a time, where it has to be known when it is in the queue. */
  #asking: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly app: INestApplicationContext,
    private readonly process: string,
  ) {
    this.service = app.get(LockService);
  }

  static async open({ process, prefix, redis, redisDeadlineMs }: OpenSettings): Promise<RookeryLocks> {
    const imports = [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      LockModule.forRoot({ redisDeadline: `${redisDeadlineMs}ms` }),
    ];
    const app = await NestFactory.createApplicationContext({ module: ChildModule, imports }, { logger: false });
    const locks = new RookeryLocks(app, process);
    for (;;) {
      try {
        await locks.#listen();
        return locks;
      } catch (error) {
        // Where faults go on, it may have come at a bad time. Without a connection the error comes at once, and this would never let one be made.
        if (!locks.isExpected(error)) throw error;
        await delay(10);
      }
    }
  }

  async run(wish: Wish, settings: AskSettings, work: (held: HeldLock) => Promise<void>): Promise<void> {
    const calledUs = nowUs();
    const { ttlMs } = settings;
    const options = optionsOf(wish, settings);
    if (settings.byUsing) {
      await this.service.using([wish.resource], options, (handle) =>
        work(this.#holding(handle, wish, calledUs, null, ttlMs)),
      );
      return;
    }
    const handle = await this.service.acquire([wish.resource], options);
    const held = this.#holding(handle, wish, calledUs, null, ttlMs);
    try {
      await work(held);
    } finally {
      await handle.release();
    }
  }

  /** Takes it and knows since when it was in the queue. Rejects when it does not get it. */
  async take(wish: Wish, settings: AskSettings): Promise<{ readonly held: HeldLock; readonly handle: LockHandle }> {
    const before = this.#asking;
    let calledUs = 0;
    let queuedUs: number | null = null;
    let taken: Promise<LockHandle> | undefined;
    const ask = async (): Promise<void> => {
      await before;
      const { waited } = this.service.counters;
      calledUs = nowUs();
      let isOver = false;
      taken = this.service.acquire([wish.resource], optionsOf(wish, settings));
      const over = taken.catch(() => undefined).finally(() => (isOver = true));
      while (!isOver && this.service.counters.waited === waited) {
        await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 1))]);
      }
      if (!isOver) queuedUs = nowUs();
    };
    const asking = ask();
    this.#asking = asking;
    await asking;
    const handle = await (taken as unknown as Promise<LockHandle>);
    return { handle, held: this.#holding(handle, wish, calledUs, queuedUs, settings.ttlMs) };
  }

  isExpected(error: unknown): boolean {
    return (
      error instanceof LockNotAcquiredError || error instanceof LockLostError || error instanceof RedisUnavailableError
    );
  }

  async close(): Promise<void> {
    this.#stalls.close();
    await this.app.close();
  }

  /** Whoever has never waited has no place in the queue until it listens. */
  async #listen(): Promise<void> {
    const name = ['warm-up', this.process, nowUs()];
    await using first = await this.service.acquire(name);
    let isOver = false;
    const second = this.service.acquire(name).finally(() => (isOver = true));
    // It is told of below.
    second.catch(() => undefined);
    while (!isOver && (await this.service.inspect(name)).waiting === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await first.release();
    await (await second).release();
  }

  #holding(handle: LockHandle, wish: Wish, calledUs: number, queuedUs: number | null, ttlMs: number): HeldLock {
    // The lease began no sooner than this, if it lasts for so long yet.
    const beganUs = nowUs() + (handle.validForMs - ttlMs) * 1_000;
    const askedUs = handle.isHeld ? Math.max(calledUs, beganUs) : calledUs;
    this.#claims += 1;
    const grantedUs = nowUs();
    let claim: Claim = {
      ...wish,
      id: `${this.process}-${this.#claims}`,
      process: this.process,
      fence: handle.fence,
      calledUs,
      queuedUs,
      askedUs,
      grantedUs,
      heldUntilUs: grantedUs,
      isLate: this.#stalls.since(calledUs),
    };
    return {
      get claim() {
        return claim;
      },
      look: () => {
        const us = nowUs();
        if (handle.isHeld) claim = { ...claim, heldUntilUs: us };
      },
    };
  }
}

function optionsOf({ as, units, of }: Wish, { ttlMs, waitMs }: AskSettings): LockOptions {
  const common = { ttl: `${ttlMs}ms`, wait: `${waitMs}ms` } as const;
  return as === 'permits' ? { ...common, permits: units, limit: of } : { ...common, mode: as };
}
