import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { LockModuleOptions } from './lock.options.js';

/** Token of the options as they were given. */
export const LOCK_OPTIONS: unique symbol = Symbol('rookery:lock:options');

/** What shapes the module itself and is no option of the locks. */
export interface LockModuleExtras {
  /** Whether every module may use `LockService` and `@Lock` without importing LockModule. Default true. */
  readonly isGlobal?: boolean;
}

/** Gives LockModule its `forRoot` and `forRootAsync`, and the type of what `forRoot` takes. */
export const { ConfigurableModuleClass, OPTIONS_TYPE } = new ConfigurableModuleBuilder<LockModuleOptions>({
  optionsInjectionToken: LOCK_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<LockModuleExtras>({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal ?? true,
  }))
  .build();
