import { createHash } from 'node:crypto';
import { byIp, type Caller, type Tracker } from 'rookery/throttler';

const byClient = byIp();

/**
 * Goes by the account that a body names, so that many machines together have no more tries at it than one. An address of mail is personal: what is kept of it is a
 * digest. A body without one is refused later, and counts for its client.
 */
export const byAccount: Tracker = (caller: Caller) => {
  const { body } = caller.request as { readonly body?: { readonly email?: unknown } | null };
  const email = body?.email;
  if (typeof email !== 'string') return byClient(caller);
  return ['account', createHash('sha256').update(email.toLowerCase()).digest('base64url')];
};
