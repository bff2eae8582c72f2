import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { isSessionId, SESSION_ID_LENGTH } from '../engine/session-id.js';

const SIGNATURE_LENGTH = 43;
const TOKEN_LENGTH = SESSION_ID_LENGTH + 1 + SIGNATURE_LENGTH;

/**
 * Signs ids with the first of the secrets, and verifies with all of them: HMAC-SHA256, compared in constant time. What is not signed never reaches
 * Redis.
 *
 * A token is `<id>.<signature>`, in characters that no cookie has to escape.
 */
export class Signer {
  /** @param purpose keeps what is signed here from being good elsewhere, and the other way round */
  constructor(
    private readonly secrets: readonly KeyObject[],
    private readonly purpose: string,
  ) {}

  sign(id: string): string {
    return `${id}.${this.#signature(id, this.secrets[0] as KeyObject)}`;
  }

  /** The id that was signed, or null for anything else. */
  verify(token: string): string | null {
    if (token.length !== TOKEN_LENGTH || token[SESSION_ID_LENGTH] !== '.') return null;
    const id = token.slice(0, SESSION_ID_LENGTH);
    if (!isSessionId(id)) return null;
    const given = Buffer.from(token.slice(SESSION_ID_LENGTH + 1), 'latin1');
    for (const secret of this.secrets) {
      if (timingSafeEqual(given, Buffer.from(this.#signature(id, secret), 'latin1'))) return id;
    }
    return null;
  }

  #signature(id: string, secret: KeyObject): string {
    return createHmac('sha256', secret).update(this.purpose).update(id).digest('base64url');
  }
}
