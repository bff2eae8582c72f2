/** What the provider is asked for. */
export interface ChargeRequest {
  /** The provider charges once for each key, however often it is asked with it, and answers with the same charge. */
  readonly idempotencyKey: string;
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
  /** The provider's token for a card, say; a secret, which is neither kept nor logged. */
  readonly paymentMethod: string;
}

/** What the provider has decided. A declined payment leaves no trace: the same key may be tried again, with another method. */
export type ChargeOutcome = { readonly charged: true; readonly chargeId: string } | { readonly charged: false };
