import { ConfigurationError } from '../../core/errors/configuration.error.js';

/** Thrown for a limit of requests at once on a handler without an HTTP response, by which the guard would know that it is done. */
export function unseenEnd(policy: string, place: string): ConfigurationError {
  return new ConfigurationError(
    `Policy '${policy}' limits requests at once, and ThrottlerGuard cannot see when ${place} is done: it has no HTTP response. ` +
      `Take the policy off it, with @SkipRateLimit('${policy}') on it where the controller or the module has it, and do its work in RateLimiter.run(), which knows the policies of the module.`,
  );
}
