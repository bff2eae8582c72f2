/** For an answer that carries a cookie, whatever its route allows. */
export const PRIVATE = 'private, no-cache';

/** What clients and proxies are told. Durations in milliseconds, sent in whole seconds. */
export function cacheControl(
  isShared: boolean,
  maxAgeMs: number | undefined,
  sharedMaxAgeMs: number | undefined,
): string {
  const scope = isShared ? 'public' : 'private';
  if (maxAgeMs === undefined && sharedMaxAgeMs === undefined) return `${scope}, no-cache`;
  const sharedMaxAge = sharedMaxAgeMs === undefined ? '' : `, s-maxage=${seconds(sharedMaxAgeMs)}`;
  return `${scope}, max-age=${seconds(maxAgeMs ?? 0)}${sharedMaxAge}`;
}

/** Whether a `Cache-Control` header holds a directive, with or without a value. */
export function hasDirective(header: string, directive: string): boolean {
  return header.split(',').some((part) => part.split('=', 1)[0]?.trim().toLowerCase() === directive);
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);
