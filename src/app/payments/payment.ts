import type { PaymentStatus } from '../orders/order.js';

/** What is known of the payment of an order. There is one for each order, however often it is tried. */
export interface Payment {
  readonly orderId: string;
  /** `pending`: the provider was asked, and its answer is not known (yet). */
  readonly status: Exclude<PaymentStatus, 'unpaid'>;
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
  /** What the provider calls the charge; null when there is none that we know of. */
  readonly chargeId: string | null;
  /** ISO 8601, in UTC. */
  readonly updatedAt: string;
}
