/** Somebody is registered with this address already. */
export class EmailTakenError extends Error {
  override readonly name = 'EmailTakenError';

  constructor() {
    super('Somebody is registered with this address already');
  }
}
