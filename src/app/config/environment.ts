import { IsIn, IsInt, IsNotEmpty, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { COST_OF_A_SEARCH } from '../rate-limits/rate-limit-policies.js';
import { Decimal } from '../validation/decimal.decorator.js';
import { IsProxyList } from './proxy-list.decorator.js';
import { IsServerUrl } from './server-url.decorator.js';
import { IsWebUrl } from './web-url.decorator.js';

/** The HTTP servers that the service runs on. */
export const HTTP_ADAPTERS = ['fastify', 'express'] as const;
export type HttpAdapterName = (typeof HTTP_ADAPTERS)[number];

/** From the quietest to the chattiest; each level includes those before it. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

const MOST_REQUESTS = 1_000_000_000;
const REQUESTS = `must be a whole number from ${COST_OF_A_SEARCH} to ${MOST_REQUESTS}`;

/** The environment variables of the service, with their defaults and what each may be. */
export class Environment {
  /** Where the service listens; 0 takes a free port. */
  @Decimal()
  @Max(65_535, { message: 'must be a whole number from 0 to 65535' })
  @Min(0, { message: 'must be a whole number from 0 to 65535' })
  @IsInt({ message: 'must be a whole number from 0 to 65535' })
  readonly PORT: number = 3000;

  /** The address to listen on; loopback by default, so that nothing is open to the network unasked. */
  @IsNotEmpty({ message: 'must be a host name or an address, such as 127.0.0.1 or 0.0.0.0' })
  @IsString()
  readonly HOST: string = '127.0.0.1';

  @IsIn(HTTP_ADAPTERS, { message: `must be one of ${HTTP_ADAPTERS.join(', ')}` })
  readonly HTTP_ADAPTER: HttpAdapterName = 'fastify';

  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  readonly LOG_LEVEL: LogLevelName = 'log';

  /** The folder of the embedded database and of the private Redis. */
  @IsNotEmpty({ message: 'must be a folder' })
  @IsString()
  readonly DATA_DIR: string = '.data';

  /** A Redis or Valkey to use; without it the service starts a private one. */
  @IsOptional()
  @IsServerUrl(['redis', 'rediss'])
  readonly REDIS_URL?: string;

  /** The program that is started as the private Redis; by default the one on PATH. */
  @IsOptional()
  @IsString()
  readonly REDIS_SERVER_BIN?: string;

  /** A Postgres to use; without it the service runs an embedded one. */
  @IsOptional()
  @IsServerUrl(['postgres', 'postgresql'])
  readonly DATABASE_URL?: string;

  /** Requests that a client may make in a second. */
  @Decimal()
  @Max(MOST_REQUESTS, { message: REQUESTS })
  @Min(COST_OF_A_SEARCH, { message: REQUESTS })
  @IsInt({ message: REQUESTS })
  readonly RATE_LIMIT_BURST: number = 20;

  /** Requests that a client may make in an hour. */
  @Decimal()
  @Max(MOST_REQUESTS, { message: REQUESTS })
  @Min(COST_OF_A_SEARCH, { message: REQUESTS })
  @IsInt({ message: REQUESTS })
  readonly RATE_LIMIT_SUSTAINED: number = 1_000;

  /** The proxies whose X-Forwarded-For says who the client is; without it, nobody's does. */
  @IsOptional()
  @IsProxyList()
  readonly TRUSTED_PROXIES?: string;

  /** Opens the admin routes to who sends it; without it they are closed. Its message never repeats it. */
  @IsOptional()
  @Matches(/^\S{16,}$/, { message: 'must have at least 16 characters, without spaces' })
  readonly ADMIN_TOKEN?: string;

  /** What session cookies are signed with, the newest first; without it, one is made and kept in DATA_DIR. Its message never repeats it. */
  @IsOptional()
  @Matches(/^\s*\S{32,}(\s+\S{32,})*\s*$/, {
    message: 'must be one secret or more, with spaces between them, of at least 32 characters each',
  })
  readonly SESSION_SECRETS?: string;

  /** The payment provider; without it the service runs a fake one, which moves no money. */
  @IsOptional()
  @IsWebUrl()
  readonly PAYMENT_URL?: string;

  /** What the payment provider is sent as bearer token. Its message never repeats it. */
  @IsOptional()
  @Matches(/^[\x21-\x7e]+$/, { message: 'must be ASCII characters without spaces' })
  readonly PAYMENT_API_KEY?: string;
}
