import { Redis } from 'ioredis';
import type { RedisNode } from '../../src/testing/index.js';
import { nowUs } from './job-process.js';

const STEP_MS = 5;
/** A tick that comes so late was kept from coming. */
const LATE_US = 10_000;

/** A time in which somebody did not run, in microseconds on the clock that the processes share. */
export interface Standstill {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Notes when this process stood still: the machine let it wait, or one thing took it long. */
export class OwnStandstills implements Disposable {
  readonly seen: Standstill[] = [];
  #seenUs = nowUs();
  readonly #timer = setInterval(() => {
    const toUs = nowUs();
    if (toUs - this.#seenUs > STEP_MS * 1_000 + LATE_US) this.seen.push({ fromUs: this.#seenUs, toUs });
    this.#seenUs = toUs;
  }, STEP_MS);

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Notes when one of some servers stood still, by how long it took to answer. */
export class ServerStandstills implements Disposable {
  readonly seen: Standstill[] = [];
  readonly #clients: readonly Redis[];
  readonly #timer: NodeJS.Timeout;
  readonly #asked = new Set<Redis>();

  constructor(servers: readonly RedisNode[]) {
    this.#clients = servers.map(({ host, port }) => {
      const client = new Redis({ host, port, enableOfflineQueue: false, retryStrategy: () => STEP_MS });
      // Connections are broken on purpose here.
      return client.on('error', () => undefined);
    });
    this.#timer = setInterval(() => this.#clients.forEach((client) => void this.#ask(client)), STEP_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#clients.forEach((client) => client.disconnect());
  }

  async #ask(client: Redis): Promise<void> {
    if (this.#asked.has(client)) return;
    this.#asked.add(client);
    const fromUs = nowUs();
    try {
      await client.ping();
      const toUs = nowUs();
      if (toUs - fromUs > LATE_US) this.seen.push({ fromUs, toUs });
    } catch {
      // Without a connection there is nothing to see.
    } finally {
      this.#asked.delete(client);
    }
  }
}

/** How much of a time somebody stood still in it, in milliseconds. */
export function stoodStillMs(standstills: readonly Standstill[], fromUs: number, toUs: number): number {
  let us = 0;
  let atUs = fromUs;
  for (const one of [...standstills].sort((a, b) => a.fromUs - b.fromUs)) {
    const [from, to] = [Math.max(one.fromUs, atUs), Math.min(one.toUs, toUs)];
    if (to <= from) continue;
    us += to - from;
    atUs = to;
  }
  return us / 1_000;
}
