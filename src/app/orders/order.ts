/** So many of a product, at the price of one when it was ordered. */
export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
  readonly priceCents: number;
}

/** Where an order stands with its payment. `pending`: the payment provider was asked, and its answer is not known (yet). */
export const PAYMENT_STATUSES = ['unpaid', 'pending', 'paid', 'declined'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** What somebody has ordered. */
export interface Order {
  /** A UUID that cannot be guessed: who knows it may see the order. */
  readonly id: string;
  /** In the order of the products' ids. */
  readonly lines: readonly OrderLine[];
  readonly totalCents: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly paymentStatus: PaymentStatus;
  /** ISO 8601, in UTC. */
  readonly createdAt: string;
}

/** What is to be ordered; each product stands in it once. */
export type OrderRequest = readonly Pick<OrderLine, 'productId' | 'quantity'>[];
