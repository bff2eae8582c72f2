import type { DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import type { PaymentSettings } from '../payments/provider/payment-settings.js';
import type { ClientLimits } from '../rate-limits/rate-limit-policies.js';

/** What the modules are configured from: injected as `ConfigService<Settings, true>`. */
export interface Settings {
  /** The Redis in use, be it the given one or the private one that was started. */
  readonly redisUrl: string;
  readonly clientLimits: ClientLimits;
  /** Whose word on a client's address counts, as `byIp` takes them. */
  readonly trustedProxies: readonly string[];
  /** Opens the admin routes; without one they are closed. */
  readonly adminToken: string | undefined;
  /** What session cookies are signed with, the newest first. */
  readonly sessionSecrets: readonly string[];
  /** The payment provider in use, be it the given one or the fake one that was started. */
  readonly payments: PaymentSettings;
}

/** Makes the settings known to every module. The environment was read and checked before, see `loadConfig`, and is not consulted again. */
export function provideSettings(settings: Settings): Promise<DynamicModule> {
  return ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, skipProcessEnv: true, load: [() => settings] });
}
