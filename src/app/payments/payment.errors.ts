/** Somebody else is paying the order at this moment. This caller has charged nothing. */
export class OrderBeingPaidError extends Error {
  override readonly name = 'OrderBeingPaidError';

  constructor(
    /** When the other one has the order no more, should it have died. */
    readonly retryAfterMs: number,
    cause: unknown,
  ) {
    super('The order is being paid by somebody else', { cause });
  }
}

/** The provider has declined the payment. Nothing was charged, and the order can be paid again. */
export class PaymentDeclinedError extends Error {
  override readonly name = 'PaymentDeclinedError';

  constructor() {
    super('The payment was declined; the order can be paid by other means');
  }
}

/**
 * Somebody has gone on with the payment of the order, since this caller stood still for longer than its lock was valid. What it had to say of the
 * payment was not written; what stands there is newer.
 */
export class PaymentOvertakenError extends Error {
  override readonly name = 'PaymentOvertakenError';

  constructor() {
    super('Somebody else has gone on with the payment of this order');
  }
}
