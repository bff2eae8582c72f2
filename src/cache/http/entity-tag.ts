import { createHash } from 'node:crypto';

/** 162 bits of SHA-256: more than enough to tell one page's versions apart, and no longer than SHA-1's. */
const TAG_LENGTH = 27;

/** An entity tag of the content: equal content, equal tag, in every process. */
export function entityTag(contentType: string | null, body: string, isWeak: boolean): string {
  const hash = createHash('sha256')
    .update(`${contentType ?? ''}\n`)
    .update(body)
    .digest('base64url');
  return `${isWeak ? 'W/' : ''}"${hash.slice(0, TAG_LENGTH)}"`;
}

/** One member of a list of entity tags (RFC 9110, section 8.8.3): visible characters but quotes, and any from 0x80. */
const LISTED = /[ \t,]*(?:W\/)?"(?<opaque>[\x21\x23-\x7e\x80-\uffff]*)"[ \t]*(?:,|$)/y;

/**
 * Whether an `If-None-Match` header names the tag: `*`, or a list that holds it by weak comparison (RFC 9110, section 13.1.2). What is
 * no such list names nothing beyond the point where it goes wrong.
 */
export function matchesEntityTag(ifNoneMatch: string, tag: string): boolean {
  if (ifNoneMatch === tag || ifNoneMatch.trim() === '*') return true;
  const opaque = opaquePart(tag);
  let at = 0;
  while (at < ifNoneMatch.length) {
    LISTED.lastIndex = at;
    const member = LISTED.exec(ifNoneMatch);
    if (member === null) return false;
    if (member.groups?.['opaque'] === opaque) return true;
    at = LISTED.lastIndex;
  }
  return false;
}

/** What stands between the quotes. A handler's own tag may lack them. */
function opaquePart(tag: string): string {
  const strong = tag.startsWith('W/') ? tag.slice(2) : tag;
  return strong.length > 1 && strong.startsWith('"') && strong.endsWith('"') ? strong.slice(1, -1) : strong;
}
