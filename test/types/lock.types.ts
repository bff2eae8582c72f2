/** What `@Lock` and `LockService` admit, and what they do not. Compiled, never run. */
import { allOf, Lock, type LockHandle, type LockService } from '../../src/lock/index.js';

interface Order {
  readonly id: number;
}

export class Payments {
  @Lock({ name: (order: Order) => ['payment', order.id], ttl: '30s', wait: '0ms' })
  async pay(order: Order, _amount: number): Promise<number> {
    return order.id;
  }

  @Lock({ name: (order: Order, amount: number) => allOf(['payment', order.id], `amount:${amount}`), mode: 'read' })
  async look(order: Order, _amount: number): Promise<number> {
    return order.id;
  }

  @Lock({ name: 'report', whenBusy: 'skip', atLeast: '1m' })
  async report(): Promise<void> {}

  @Lock()
  async named(): Promise<void> {}

  // @ts-expect-error -- the name is made of something else than the method takes
  @Lock({ name: (order: Order) => ['payment', order.id] })
  async other(_id: number): Promise<void> {}

  // @ts-expect-error -- the method returns no promise
  @Lock({ name: 'sync' })
  sync(): void {}

  // @ts-expect-error -- seconds or milliseconds?
  @Lock({ name: 'number', ttl: 30 })
  async number(): Promise<void> {}

  // @ts-expect-error -- a signal belongs to a call, not to a method
  @Lock({ name: 'signal', signal: AbortSignal.timeout(1) })
  async signal(): Promise<void> {}
}

export async function use(locks: LockService): Promise<void> {
  const result: number = await locks.using('name', async (lock: LockHandle) => lock.fence);
  const text: string = await locks.using(['name', result], { ttl: '30s', wait: '5s' }, () => 'text');
  const attempt = await locks.tryAcquire(text);
  if (attempt.acquired) await attempt.release();
  else await locks.acquire('name', { wait: `${attempt.retryAfterMs}ms` });
  // @ts-expect-error -- what may be a refusal has no fence
  void attempt.fence;
  // @ts-expect-error -- it never waits
  await locks.tryAcquire('name', { wait: '1s' });
  // @ts-expect-error -- who takes a lock away says why
  await locks.forceRelease('name');
}
