import { hash, randomBytes } from 'node:crypto';
import { isSlotTag, slotTagAt } from './slot-tags.js';

/** Characters of an id: two for the slot, and 256 random bits. */
export const SESSION_ID_LENGTH = 45;
const ID = /^[A-Za-z][A-Za-z0-9][\w-]{43}$/;
const SECRET_BYTES = 32;

/** 162 bits of SHA-256: a dump of Redis leads to no id, and no two ids lead to one key. */
export const DIGEST_LENGTH = 27;

/**
 * A new id: 256 bits that nobody can guess, behind two letters for the slot in which the session lies. Sessions of one user share them, so that they and their
 * list lie in one slot of a cluster; those of nobody lie anywhere.
 */
export function newSessionId(user: string): string {
  const secret = randomBytes(SECRET_BYTES);
  return (user === '' ? slotTagOf(secret) : slotOfUser(user)) + secret.toString('base64url');
}

/** Whether it has the form of an id, and leads to a slot that there is. */
export function isSessionId(text: string): boolean {
  return ID.test(text) && isSlotTag(text.slice(0, 2));
}

/** The slot of a user's sessions. */
export function slotOfUser(user: string): string {
  return slotTagOf(hash('sha256', user, 'buffer'));
}

/** What stands for an id in Redis and in lists for people: it cannot be turned back. */
export function digestOfId(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, DIGEST_LENGTH);
}

/** Whether it can be such a digest: those that come from outside are made part of no key unless they are. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && text.length === DIGEST_LENGTH && /^[\w-]+$/.test(text);
}

/** The slot and the digest of an id that another library has made, of whatever form. */
export function placeOfForeignId(id: string): { readonly tag: string; readonly digest: string } {
  return { tag: slotTagOf(hash('sha256', id, 'buffer')), digest: digestOfId(id) };
}

function slotTagOf(bytes: Buffer): string {
  return slotTagAt(bytes[0] as number);
}
