import { Redis } from 'ioredis';
import { nowUs } from '../job-process.js';

const SECONDS = 600;

/** The source of truth of all processes: a version per key, which only grows. */
export class Source {
  readonly #redis: Redis;
  readonly #versions: string;

  constructor(
    url: string,
    private readonly prefix: string,
  ) {
    this.#redis = new Redis(url);
    this.#versions = `${prefix}:source`;
  }

  /** The present version; 0 for a key that was never changed. */
  async read(key: string): Promise<number> {
    return Number((await this.#redis.hget(this.#versions, key)) ?? 0);
  }

  /** Gives each key a new version. */
  async change(keys: readonly string[]): Promise<readonly number[]> {
    const commands = this.#redis.pipeline();
    for (const key of keys) commands.hincrby(this.#versions, key, 1);
    const replies = (await commands.expire(this.#versions, SECONDS).exec()) ?? [];
    return keys.map((_, i) => Number(replies[i]?.[1]));
  }

  async noteLoad(key: string): Promise<void> {
    const loads = this.#loadsOf(key);
    await this.#redis.pipeline().rpush(loads, nowUs()).expire(loads, SECONDS).exec();
  }

  /** When each load of the key began, in microseconds on the clock that all processes share. */
  async loads(key: string): Promise<readonly number[]> {
    return (await this.#redis.lrange(this.#loadsOf(key), 0, -1)).map(Number);
  }

  close(): void {
    this.#redis.disconnect();
  }

  #loadsOf(key: string): string {
    return `${this.prefix}:loads:${key}`;
  }
}
