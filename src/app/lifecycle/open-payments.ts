import type { AppConfig } from '../config/app-config.js';
import { redactUrl } from '../config/redact-url.js';
import { FakeProvider } from '../payments/fake-provider/fake-provider.js';
import type { PaymentSettings } from '../payments/provider/payment-settings.js';

/** A payment provider to use, and what ends it when it is our own. */
export interface OpenPayments {
  readonly settings: PaymentSettings;
  /** For people: what runs and where. */
  readonly description: string;
  close(): Promise<void>;
}

/** Together with the wait for a lock it is less than the time in which the service stops. */
const TIMEOUT_MS = 5_000;

/** The provider of PAYMENT_URL, or a fake one that moves no money: in this process, on loopback, and gone with it, its charges too. */
export async function openPayments({ paymentUrl, paymentApiKey: apiKey }: AppConfig): Promise<OpenPayments> {
  if (paymentUrl !== undefined) {
    return {
      settings: { url: paymentUrl, apiKey, timeoutMs: TIMEOUT_MS },
      description: `at ${redactUrl(paymentUrl)}`,
      close: async () => {},
    };
  }
  const provider = await FakeProvider.start(apiKey);
  return {
    settings: { url: provider.url, apiKey, timeoutMs: TIMEOUT_MS },
    description: `a fake provider at ${provider.url}, which moves no money`,
    close: () => provider.close(),
  };
}
