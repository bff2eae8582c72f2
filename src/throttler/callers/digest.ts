import { createHash } from 'node:crypto';

/** What stands for a secret in a key: always the same, and of no use to whoever reads it. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
