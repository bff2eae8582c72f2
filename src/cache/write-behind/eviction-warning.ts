import { Logger } from '@nestjs/common';
import type { RedisConnection } from '../../core/redis/redis-connection.js';

const POLICY = /^maxmemory_policy:(allkeys-[\w-]+)/m;

/** Warns when the server may evict a journal. A server that does not say is believed. Never rejects. */
export async function warnOfEviction(journal: string, connection: RedisConnection): Promise<void> {
  const info = await connection.send('INFO', ['memory']).catch(() => null);
  const policy = Buffer.isBuffer(info) ? POLICY.exec(info.toString('latin1'))?.[1] : undefined;
  if (policy === undefined) return;
  new Logger('WriteBehind').warn(
    `Write-behind '${journal}': the server's maxmemory-policy is ${policy}, so it may evict writes that are not in the source yet. ` +
      `Set noeviction or a volatile-* policy.`,
  );
}
