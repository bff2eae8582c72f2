import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Cancel, Clock } from '../../core/time/clock.js';

const RETRY_MS = 1_000;

/** Tells every process whose refusals are over before their time. What is missed costs a caller no more than the wait that it was told of. */
export class Announcements {
  readonly #channel: string;
  readonly #cancels = new Set<Cancel>();
  #isClosed = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
  ) {
    this.#channel = `${connection.keyPrefix}:limit:forget`;
  }

  /** Calls `forget` for each caller that is told of, and `forgetAll` when some may have been missed. */
  listen(forget: (callerKey: string) => void, forgetAll: () => void): void {
    this.#cancels.add(this.connection.subscriber.onGap(forgetAll));
    void this.#subscribe((message) => forget(message.toString()), forgetAll, false);
  }

  /** Nobody waits for longer than the connection's deadline, and nobody is told of a failure: what has changed in Redis holds all the same. */
  async tell(callerKey: string): Promise<void> {
    await this.connection.send('PUBLISH', [this.#channel, callerKey]).catch(ignoreSinceRefusalsEnd);
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  async #subscribe(listener: (message: Buffer) => void, forgetAll: () => void, isLate: boolean): Promise<void> {
    try {
      const cancel = await this.connection.subscriber.subscribe(this.#channel, listener);
      if (this.#isClosed) {
        cancel();
        return;
      }
      this.#cancels.add(cancel);
      if (isLate) forgetAll();
    } catch {
      if (this.#isClosed) return;
      const cancel = this.clock.setTimeout(() => {
        this.#cancels.delete(cancel);
        void this.#subscribe(listener, forgetAll, true);
      }, RETRY_MS);
      this.#cancels.add(cancel);
    }
  }
}

function ignoreSinceRefusalsEnd(): void {
  // They end by themselves, at the time that the caller was told.
}
