import type { Redis } from 'ioredis';
import type { Cancel } from '../../time/clock.js';

/**
 * Cuts a connection whose handshake does not end within `limitMs`, at every attempt, until the returned function is called. A
 * frozen server still accepts TCP connections, through its kernel, and ioredis sets the handshake no limit.
 */
export function guardHandshake(redis: Redis, limitMs: number, onHang: () => void): Cancel {
  let watch: NodeJS.Timeout | undefined;
  const disarm = (): void => clearTimeout(watch);
  const arm = (): void => {
    disarm();
    watch = setTimeout(() => {
      if (redis.status !== 'connect') return;
      onHang();
      redis.stream.destroy();
    }, limitMs).unref();
  };
  redis.on('connect', arm).on('ready', disarm).on('close', disarm);
  return () => {
    disarm();
    redis.off('connect', arm).off('ready', disarm).off('close', disarm);
  };
}
