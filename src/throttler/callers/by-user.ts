import type { KeyPart } from '../../core/keys/key-part.js';
import { byIp } from './by-ip.js';
import type { Caller } from '../../core/calls/caller.js';
import type { Tracker } from './tracker.js';

/** What tells a user from all others; nothing when this one cannot be told. Asked only where somebody is logged in. */
export type UserPick = (user: unknown, caller: Caller) => KeyPart | undefined | null;

/**
 * Goes by who is logged in: `['user', id]`, with `user.id`, or else `user.sub`, or the user itself if it is text, where `pick` says nothing else. Who is not logged in, or has no
 * id, goes by the fallback, so that strangers never share one counter.
 *
 * The guard that logs users in has to run before the one that counts.
 */
export function byUser(pick: UserPick = idOrSubject, fallback: Tracker = byIp()): Tracker {
  return (caller) => {
    const { user } = caller;
    const id = user === undefined || user === null ? undefined : pick(user, caller);
    return id === undefined || id === null || id === '' ? fallback(caller) : ['user', id];
  };
}

function idOrSubject(user: unknown): KeyPart {
  // Text has a method of the name `sub`.
  if (typeof user !== 'object') return typeof user === 'string' ? user : undefined;
  const { id, sub } = user as { readonly id?: KeyPart; readonly sub?: KeyPart };
  return id ?? sub;
}
