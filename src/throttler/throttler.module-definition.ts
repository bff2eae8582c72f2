import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ThrottlerModuleOptions } from './throttler.options.js';

/** Token of the options as they were given. */
export const THROTTLER_OPTIONS: unique symbol = Symbol('rookery:throttler:options');

/** What shapes the module itself and is no option of the limits. */
export interface ThrottlerModuleExtras {
  /** Whether every module may use the guard and `RateLimiter` without importing ThrottlerModule. Default true. */
  readonly isGlobal?: boolean;
}

/** Gives ThrottlerModule its `forRoot` and `forRootAsync`. */
export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<ThrottlerModuleOptions>({
  optionsInjectionToken: THROTTLER_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<ThrottlerModuleExtras>({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal ?? true,
  }))
  .build();
