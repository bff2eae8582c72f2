import { hasDirective } from './cache-control.js';
import type { HeaderLookup } from './response-head.js';
import type { ResponsePolicy } from './response-policy.js';
import { fieldsOf } from './response-snapshot.js';

/** Whether the headers of an answer allow that it is kept for others. `isNegotiated`: whether somebody else sees to what the answer varies by. */
export function mayBeKept(
  header: HeaderLookup,
  { vary, cacheControl: own, options }: ResponsePolicy,
  isPersonal: boolean,
  isNegotiated: (field: string) => boolean,
): boolean {
  const cacheControl = String(header('cache-control') ?? '');
  // The key tells the users of a personal answer apart, and others are kept only for those who have no credentials.
  const isByUser = (field: string): boolean =>
    options.shared !== true && (field === 'cookie' || field === 'authorization');
  return (
    header('set-cookie') === undefined &&
    !hasDirective(cacheControl, 'no-store') &&
    (isPersonal || cacheControl === own || !hasDirective(cacheControl, 'private')) &&
    fieldsOf(header('vary')).every((field) => vary.includes(field) || isNegotiated(field) || isByUser(field))
  );
}

/** What middleware and plugins vary answers by, on a hit as on a miss: CORS, and compression. */
export function isForMiddleware(field: string): boolean {
  return field === 'origin' || field === 'accept-encoding';
}
