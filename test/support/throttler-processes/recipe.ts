import type { Redis } from 'ioredis';
import type { WindowPolicy } from '../../../src/throttler/index.js';

/**
 * The rate limit of many articles, for a checker to find out: the request's time, as the process has it, goes into a sorted set; what is older than the window
 * goes out; what is left is counted.
 */
export class Recipe {
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
  ) {}

  async consume({ name, limit, window }: WindowPolicy & { readonly name: string }, caller: string): Promise<boolean> {
    const key = `${this.prefix}:recipe:${name}:${caller}`;
    const nowMs = Date.now();
    await this.client.zadd(key, nowMs, String(nowMs));
    await this.client.zremrangebyscore(key, 0, nowMs - Number.parseInt(window, 10));
    const count = await this.client.zcard(key);
    await this.client.expire(key, 60);
    return count <= Number(limit);
  }

  close(): void {
    this.client.disconnect();
  }
}
