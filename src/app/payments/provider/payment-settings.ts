/** How the payment provider is reached. */
export interface PaymentSettings {
  /** Charges are made by `POST <url>/charges`. */
  readonly url: string;
  /** Sent as bearer token; a secret. */
  readonly apiKey: string | undefined;
  /** How long its answer is waited for. */
  readonly timeoutMs: number;
}
