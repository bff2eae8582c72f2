import { randomBytes } from 'node:crypto';

const RANDOM_BYTES = 6;
const COUNTER_CHARACTERS = 2;
const COUNTER_END = 64 ** COUNTER_CHARACTERS;

/** How long an id is, in characters of ASCII. */
export const ID_LENGTH = (RANDOM_BYTES / 3) * 4 + COUNTER_CHARACTERS;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Ids that no other process makes: 48 random bits, drawn anew after every 4,096 ids, and a counter. They tell leases and versions of an
 * entry apart, and are no secret.
 */
export class EntryIds {
  #prefix = '';
  #counter = COUNTER_END;

  next(): string {
    if (this.#counter === COUNTER_END) {
      this.#prefix = randomBytes(RANDOM_BYTES).toString('base64url');
      this.#counter = 0;
    }
    const n = this.#counter;
    this.#counter += 1;
    return this.#prefix + ALPHABET.charAt(n >> 6) + ALPHABET.charAt(n & 63);
  }
}
