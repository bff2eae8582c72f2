import { resolve } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { ClientLimits } from '../rate-limits/rate-limit-policies.js';
import { ConfigError } from './config.error.js';
import { Environment, type HttpAdapterName, type LogLevelName } from './environment.js';
import { proxiesIn } from './proxy-list.decorator.js';

/** What the service is told from outside, checked and complete. */
export interface AppConfig {
  readonly port: number;
  readonly host: string;
  readonly httpAdapter: HttpAdapterName;
  readonly logLevel: LogLevelName;
  /** An absolute path. */
  readonly dataDir: string;
  readonly redisUrl: string | undefined;
  readonly redisServerBin: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly clientLimits: ClientLimits;
  readonly trustedProxies: readonly string[];
  readonly adminToken: string | undefined;
  /** The newest first. */
  readonly sessionSecrets: readonly string[] | undefined;
  readonly paymentUrl: string | undefined;
  readonly paymentApiKey: string | undefined;
}

/**
 * Reads and checks the environment; the one place of the service that does. It is needed before there is a Nest
 * container (which adapter to create, which Redis to start), hence a plain function.
 *
 * A variable that is set to the empty string counts as not set, as Compose files and CI systems produce them.
 *
 * @throws ConfigError naming each variable that cannot be used and what it may be.
 */
export function loadConfig(env: Readonly<NodeJS.ProcessEnv> = process.env): AppConfig {
  const environment = plainToInstance(Environment, known(env), { exposeDefaultValues: true });
  const errors = validateSync(environment, { stopAtFirstError: true });
  if (errors.length > 0) {
    throw new ConfigError(errors.map((error) => ({ variable: error.property, message: firstMessage(error) })));
  }
  return {
    port: environment.PORT,
    host: environment.HOST,
    httpAdapter: environment.HTTP_ADAPTER,
    logLevel: environment.LOG_LEVEL,
    dataDir: resolve(environment.DATA_DIR),
    redisUrl: environment.REDIS_URL,
    redisServerBin: environment.REDIS_SERVER_BIN,
    databaseUrl: environment.DATABASE_URL,
    clientLimits: { burst: environment.RATE_LIMIT_BURST, sustained: environment.RATE_LIMIT_SUSTAINED },
    trustedProxies: environment.TRUSTED_PROXIES === undefined ? [] : proxiesIn(environment.TRUSTED_PROXIES),
    adminToken: environment.ADMIN_TOKEN,
    sessionSecrets: environment.SESSION_SECRETS?.trim().split(/\s+/),
    paymentUrl: environment.PAYMENT_URL,
    paymentApiKey: environment.PAYMENT_API_KEY,
  };
}

const VARIABLES = [
  'PORT',
  'HOST',
  'HTTP_ADAPTER',
  'LOG_LEVEL',
  'DATA_DIR',
  'REDIS_URL',
  'REDIS_SERVER_BIN',
  'DATABASE_URL',
  'RATE_LIMIT_BURST',
  'RATE_LIMIT_SUSTAINED',
  'TRUSTED_PROXIES',
  'ADMIN_TOKEN',
  'SESSION_SECRETS',
  'PAYMENT_URL',
  'PAYMENT_API_KEY',
] as const satisfies readonly (keyof Environment)[];

function known(env: Readonly<NodeJS.ProcessEnv>): Record<string, string> {
  const set = VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return Object.fromEntries(set);
}

function firstMessage(error: ValidationError): string {
  return Object.values(error.constraints ?? {})[0] ?? 'cannot be used';
}
