import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CacheModuleOptions } from './cache.options.js';

/** Token of the options as they were given. */
export const CACHE_OPTIONS: unique symbol = Symbol('rookery:cache:options');

/** What shapes the module itself and is no option of the caches. */
export interface CacheModuleExtras {
  /** Whether every module sees the caches and may use the decorators without importing CacheModule. Default true. */
  readonly isGlobal?: boolean;
}

/** Gives CacheModule its `forRoot` and `forRootAsync`. */
export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<CacheModuleOptions>({
  optionsInjectionToken: CACHE_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<CacheModuleExtras>({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal ?? true,
  }))
  .build();
