import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Settings } from '../../config/settings.js';
import type { ChargeOutcome, ChargeRequest } from './charge.js';
import type { PaymentSettings } from './payment-settings.js';
import { ProviderTimeoutError, ProviderUnavailableError } from './provider.errors.js';

const DECLINED = 402;

/**
 * The payment provider, over HTTP. It is asked once and never by itself again: who tries again does so with the same idempotency key.
 *
 * No error of it holds the payment method, the API key, or what the provider has answered.
 */
@Injectable()
export class PaymentProvider {
  readonly #settings: PaymentSettings;
  readonly #charges: string;

  constructor(settings: ConfigService<Settings, true>) {
    this.#settings = settings.get('payments', { infer: true });
    this.#charges = `${this.#settings.url.replace(/\/$/, '')}/charges`;
  }

  /**
   * Rejects with the signal's reason when that aborts. The provider may have charged then, as after the errors below.
   *
   * @throws ProviderUnavailableError
   * @throws ProviderTimeoutError
   */
  async charge({ idempotencyKey, ...charge }: ChargeRequest, signal: AbortSignal): Promise<ChargeOutcome> {
    const { apiKey, timeoutMs } = this.#settings;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(this.#charges, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify(charge),
        // Wherever that led to, it would be told the payment method.
        redirect: 'error',
        signal: AbortSignal.any([signal, timeout]),
      });
      return outcomeOf(response.status, await response.text());
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProviderUnavailableError) throw error;
      if (timeout.aborted) throw new ProviderTimeoutError(timeoutMs);
      throw new ProviderUnavailableError(`was not reached, or has hung up${codeOf(error)}`, error);
    }
  }
}

function outcomeOf(status: number, body: string): ChargeOutcome {
  if (status === DECLINED) return { charged: false };
  if (status !== 200 && status !== 201) throw new ProviderUnavailableError(`has answered with status ${status}`);
  const chargeId = idIn(body);
  if (chargeId === undefined) throw new ProviderUnavailableError('has answered without the id of a charge');
  return { charged: true, chargeId };
}

function idIn(body: string): string | undefined {
  try {
    const { id } = JSON.parse(body) as { readonly id?: unknown };
    return typeof id === 'string' && /^[\w-]{1,255}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** `fetch` hides it in the cause. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
}
