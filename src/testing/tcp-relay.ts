import type { Socket } from 'node:net';

/** What happens to bytes on their way, now. */
export interface NetworkConditions {
  readonly frozen: boolean;
  readonly delayMs: number;
}

interface Parcel {
  /** Undefined: the sender has hung up. */
  readonly bytes: Buffer | undefined;
  readonly dueMs: number;
}

/** One direction of one connection: hands on what arrives, in order, as the conditions allow. */
export class TcpRelay {
  readonly #parcels: Parcel[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly conditions: () => NetworkConditions,
  ) {
    from.on('data', (bytes) => this.#accept(bytes));
    from.once('close', () => this.#accept(undefined));
    to.once('close', () => clearTimeout(this.#timer));
  }

  /** Delivers what is due. Call it when the conditions have changed. */
  readonly deliver = (): void => {
    clearTimeout(this.#timer);
    if (this.conditions().frozen) {
      // Unread, the bytes fill the sender's buffers, as they would on a dead line.
      this.from.pause();
      return;
    }
    this.from.resume();
    const nowMs = performance.now();
    // Strictly first come, first served: after a delay has ended, later bytes still wait for earlier ones.
    for (let next = this.#parcels[0]; next !== undefined && !this.to.destroyed; next = this.#parcels[0]) {
      if (next.dueMs > nowMs) {
        this.#timer = setTimeout(this.deliver, next.dueMs - nowMs);
        return;
      }
      this.#parcels.shift();
      if (next.bytes === undefined) this.to.end();
      else this.to.write(next.bytes);
    }
  };

  #accept(bytes: Buffer | undefined): void {
    this.#parcels.push({ bytes, dueMs: performance.now() + this.conditions().delayMs });
    this.deliver();
  }
}
