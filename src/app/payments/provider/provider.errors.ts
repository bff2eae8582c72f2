/** The provider was not reached, or failed, or said what nobody can understand. Whether it has charged is not known. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';

  constructor(what: string, cause?: unknown) {
    super(`The payment provider ${what}`, { cause });
  }
}

/** The provider has not answered in time. Whether it has charged is not known. */
export class ProviderTimeoutError extends Error {
  override readonly name = 'ProviderTimeoutError';

  constructor(timeoutMs: number) {
    super(`The payment provider has not answered within ${timeoutMs} ms`);
  }
}
