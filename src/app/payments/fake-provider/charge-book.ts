/** Money that would have moved. */
export interface Charge {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly amountCents: number;
  readonly currency: string;
  /** How often it was asked for, those requests included that failed before it was made. */
  readonly requests: number;
}

/** What is asked for. The method is not kept. */
export interface ChargeOrder {
  readonly amountCents: number;
  readonly currency: string;
  readonly paymentMethod: string;
}

/** The method that is always declined. */
const DECLINED_METHOD = 'tok_declined';

/** The charges, one for each idempotency key. In memory: they are gone with the provider. */
export class ChargeBook {
  readonly #charges = new Map<string, Omit<Charge, 'requests'>>();
  readonly #requests = new Map<string, number>();

  /** In the order in which they were made. */
  get charges(): readonly Charge[] {
    return [...this.#charges.values()].map((charge) => ({ ...charge, requests: this.requests(charge.idempotencyKey) }));
  }

  /** How often somebody has asked with the key. */
  requests(idempotencyKey: string): number {
    return this.#requests.get(idempotencyKey) ?? 0;
  }

  noteRequest(idempotencyKey: string): void {
    this.#requests.set(idempotencyKey, this.requests(idempotencyKey) + 1);
  }

  /** The charge of the key, which is made if there is none; or why there is none. */
  charge(
    idempotencyKey: string,
    { amountCents, currency, paymentMethod }: ChargeOrder,
    isDeclined: boolean,
  ): Omit<Charge, 'requests'> | 'declined' | 'another-charge' {
    const made = this.#charges.get(idempotencyKey);
    if (made !== undefined) {
      return made.amountCents === amountCents && made.currency === currency ? made : 'another-charge';
    }
    if (isDeclined || paymentMethod === DECLINED_METHOD) return 'declined';
    const charge = { id: `ch_${this.#charges.size + 1}`, idempotencyKey, amountCents, currency };
    this.#charges.set(idempotencyKey, charge);
    return charge;
  }
}
