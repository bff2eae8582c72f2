import type { DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';

/** What the modules are configured from: injected as `ConfigService<Settings, true>`. */
export interface Settings {
  /** The Redis in use, be it the given one or the private one that was started. */
  readonly redisUrl: string;
}

/** Makes the settings known to every module. The environment was read and checked before, see `loadConfig`, and is not consulted again. */
export function provideSettings(settings: Settings): Promise<DynamicModule> {
  return ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, skipProcessEnv: true, load: [() => settings] });
}
