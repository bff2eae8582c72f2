import type { TestingModule } from '@nestjs/testing';
import { redisToken, type RedisConnection } from '../../src/core/index.js';
import type { LockHandle, LockRefusal } from '../../src/lock/index.js';
import { eventually, type RedisNode } from '../../src/testing/index.js';

/** The handle of an attempt that has to have succeeded. */
export function taken(attempt: LockHandle | LockRefusal): LockHandle {
  if (!attempt.acquired) throw new Error(`Others have it for ${attempt.retryAfterMs} ms.`);
  return attempt;
}

/** Ends what a test has done to the servers: they run, and none of them is frozen. */
export async function revive(nodes: readonly RedisNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => (node.running ? node.resume() : node.start())));
}

/** Resolves when the connections of these names answer; the default one's, when there is no name. */
export async function untilUp(apps: readonly TestingModule[], ...names: readonly string[]): Promise<void> {
  const connections = apps.flatMap((app) =>
    (names.length === 0 ? [undefined] : names).map((name) => app.get<RedisConnection>(redisToken(name))),
  );
  await Promise.all(
    connections.map((connection) =>
      eventually(() => connection.send('PING', [], { deadlineMs: 5_000 }), { within: '30s' }),
    ),
  );
}

/** Resolves with the reason of an abort, when it comes. */
export async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  return signal.reason;
}
