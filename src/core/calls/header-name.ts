import { ConfigurationError } from '../errors/configuration.error.js';

/** The name as requests have it, in lower case. Throws `ConfigurationError` naming the option for what no header can be called. */
export function headerName(header: unknown, option: string): string {
  if (typeof header === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(header)) return header.toLowerCase();
  throw new ConfigurationError(`${option} must be the name of a header; it is '${String(header)}'.`);
}
