import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer, TcpProxy } from '../../../src/testing/index.js';

const PAUSE_MS = 250;
const FREEZE_MS = 120;

/** What can be done to connections. */
export type Disturbance = 'kill' | 'kill pubsub' | 'cut' | 'freeze';

/** What is disturbed, and how. */
export interface DisturberOptions {
  readonly server: RedisServer;
  /** Of each process, those in front of the nodes. */
  readonly proxies: readonly (readonly TcpProxy[])[];
  readonly kinds: readonly Disturbance[];
  readonly random: () => number;
}

/** Breaks connections now and then until it is stopped. */
export class Disturber {
  /** How often it did. */
  count = 0;
  #stopped = false;
  readonly #ended: Promise<void>;

  constructor(private readonly options: DisturberOptions) {
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { kinds, random } = this.options;
    while (!this.#stopped) {
      await sleep(PAUSE_MS * (0.5 + random()));
      if (this.#stopped) return;
      this.count += 1;
      await this.#disturb(kinds[Math.floor(random() * kinds.length)] as Disturbance);
    }
  }

  async #disturb(kind: Disturbance): Promise<void> {
    const { server, proxies, random } = this.options;
    const some = proxies[Math.floor(random() * proxies.length)] ?? [];
    switch (kind) {
      case 'cut': {
        some.forEach((proxy) => proxy.cut());
        return;
      }
      case 'freeze':
        some.forEach((proxy) => proxy.freeze());
        await sleep(FREEZE_MS);
        await Promise.all(some.map((proxy) => proxy.heal()));
        return;
      case 'kill':
      case 'kill pubsub': {
        const node = server.nodes[Math.floor(random() * server.nodes.length)];
        await node?.command('CLIENT', 'KILL', 'TYPE', kind === 'kill' ? 'normal' : 'pubsub', 'SKIPME', 'yes');
      }
    }
  }
}
