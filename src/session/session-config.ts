import { createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { durationOption, timerOption } from '../core/time/duration-option.js';
import { durationMs, type Duration } from '../core/time/duration.js';
import { resolveCookie, type CookieConfig } from './cookie/cookie-config.js';
import type { SessionLifetime, SessionModuleOptions } from './session.options.js';

/** How long sessions last, in milliseconds. */
export interface LifetimeConfig {
  readonly idleMs: number;
  readonly lifeMs: number;
}

/** How the ends of sessions are told, in milliseconds. */
export interface EndsConfig {
  readonly everyMs: number;
  readonly retryAfterMs: number;
}

/** The module's options, checked and with their defaults. Times are in milliseconds. */
export interface SessionConfig extends LifetimeConfig {
  readonly secrets: readonly KeyObject[];
  readonly cookie: CookieConfig;
  readonly graceMs: number;
  /** 0 for any number. */
  readonly most: number;
  readonly evicts: boolean;
  /** How ends are told, or null where they are not. */
  readonly ends: EndsConfig | null;
  readonly deadlineMs: number;
}

const SHORTEST_SECRET = 32;
const SHORTEST_TIMEOUT_MS = 10;

/** @throws {ConfigurationError} that names the option */
export function resolveSessionConfig(options: SessionModuleOptions): SessionConfig {
  const { maxPerUser = 0, whenFull = 'end-oldest', ends } = options;
  if (!Number.isSafeInteger(maxPerUser) || maxPerUser < 0 || (options.maxPerUser !== undefined && maxPerUser === 0)) {
    throw new ConfigurationError(`SessionModule: maxPerUser must be a whole number from 1 on; it is ${maxPerUser}.`);
  }
  if (whenFull !== 'end-oldest' && whenFull !== 'refuse') {
    throw new ConfigurationError("SessionModule: whenFull must be 'end-oldest' or 'refuse'.");
  }
  return {
    ...resolveLifetime(options, { idleMs: durationMs('30m'), lifeMs: durationMs('12h') }, 'SessionModule'),
    secrets: resolveSecrets(options.secrets),
    cookie: resolveCookie(options.cookie ?? {}),
    graceMs: maybeNothing(options.rotationGrace ?? '10s', 'SessionModule: rotationGrace'),
    most: maxPerUser,
    evicts: whenFull === 'end-oldest',
    ends:
      ends === undefined
        ? null
        : {
            everyMs: timerOption(ends.every ?? '5s', 'SessionModule: ends.every'),
            retryAfterMs: timerOption(ends.retryAfter ?? '30s', 'SessionModule: ends.retryAfter'),
          },
    deadlineMs: timerOption(options.redisDeadline ?? '1s', 'SessionModule: redisDeadline'),
  };
}

/** @throws {ConfigurationError} that begins with `owner` */
export function resolveLifetime(
  { idleTimeout, absoluteTimeout }: SessionLifetime,
  defaults: LifetimeConfig,
  owner: string,
): LifetimeConfig {
  const idleMs = idleTimeout === undefined ? defaults.idleMs : durationOption(idleTimeout, `${owner}: idleTimeout`);
  const lifeMs =
    absoluteTimeout === undefined ? defaults.lifeMs : durationOption(absoluteTimeout, `${owner}: absoluteTimeout`);
  if (idleMs < SHORTEST_TIMEOUT_MS || lifeMs < SHORTEST_TIMEOUT_MS) {
    throw new ConfigurationError(
      `${owner}: idleTimeout and absoluteTimeout must be '${SHORTEST_TIMEOUT_MS}ms' or longer.`,
    );
  }
  return { idleMs, lifeMs };
}

function resolveSecrets(secrets: unknown): KeyObject[] {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new ConfigurationError(
      'SessionModule: secrets must be a list of one secret or more, the newest first. Make one with: openssl rand -base64 32',
    );
  }
  return secrets.map((secret: unknown) => {
    if (typeof secret === 'string' && secret.length >= SHORTEST_SECRET) return createSecretKey(secret, 'utf8');
    throw new ConfigurationError(
      `SessionModule: each of secrets must be a text of ${SHORTEST_SECRET} characters or more. Make one with: openssl rand -base64 32`,
    );
  });
}

function maybeNothing(duration: Duration, option: string): number {
  return duration === '0ms' ? 0 : timerOption(duration, option);
}
