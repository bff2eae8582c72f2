import { Injectable } from '@nestjs/common';
import { LockNotAcquiredError, LockService, type LockHandle } from 'rookery/lock';
import type { Order } from '../orders/order.js';
import { OrdersService } from '../orders/orders.service.js';
import { OrderBeingPaidError, PaymentDeclinedError } from './payment.errors.js';
import type { Payment } from './payment.js';
import { PaymentRepository } from './payment.repository.js';
import { PaymentProvider } from './provider/payment-provider.js';

/** For how long nobody else can pay the order when the process that is paying it dies. Longer than the provider is waited for. */
const LEASE = '10s';
/** Most payments are done by then, and those who wait are answered with them. */
const WAIT = '2s';

/**
 * Pays orders, each once at most, wherever this process, its lock or the provider fails:
 *
 * - The lock lets one caller at a time ask the provider. It may be lost unnoticed, and so:
 * - The provider is always asked with the order's id as idempotency key. Who asks again, after a crash or with a lock that is another's by now, gets the charge that there is.
 * - Postgres knows of an attempt before the provider does, and takes nothing from who has an older fence: nobody overwrites what a later one has written.
 */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly orders: OrdersService,
    private readonly payments: PaymentRepository,
    private readonly provider: PaymentProvider,
    private readonly locks: LockService,
  ) {}

  /**
   * The payment, by which the order is paid; by whoever has paid it, when it is paid already. Null when there is no such order.
   *
   * After any error but `PaymentDeclinedError` and `OrderBeingPaidError` nobody knows whether the provider has charged: the payment is `pending`, and the next call
   * settles it. Rejects also with `ProviderUnavailableError`, `ProviderTimeoutError`, `PaymentOvertakenError`, `LockLostError` and `RedisUnavailableError`; when Redis
   * was away from the start, the provider was not asked.
   *
   * @throws PaymentDeclinedError
   * @throws OrderBeingPaidError
   */
  async pay(orderId: string, paymentMethod: string): Promise<Payment | null> {
    const order = await this.orders.find(orderId);
    if (order === null) return null;
    if (order.paymentStatus === 'paid') return this.payments.find(orderId);
    try {
      return await this.locks.using(['payment', order.id], { ttl: LEASE, wait: WAIT }, (lock) =>
        this.#payLocked(order, paymentMethod, lock),
      );
    } catch (error) {
      throw error instanceof LockNotAcquiredError ? new OrderBeingPaidError(error.retryAfterMs, error) : error;
    }
  }

  async #payLocked(order: Order, paymentMethod: string, { fence, signal }: LockHandle): Promise<Payment> {
    const begun = await this.payments.begin(order, fence);
    if (begun.status === 'paid') return begun;
    const { amountCents, currency } = begun;
    const charge = { idempotencyKey: order.id, amountCents, currency, paymentMethod };
    const outcome = await this.provider.charge(charge, signal);
    const settled = await this.payments.settle(order.id, outcome, fence);
    if (!outcome.charged) throw new PaymentDeclinedError();
    return settled;
  }
}
