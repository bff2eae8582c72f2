import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { SessionModuleOptions } from './session.options.js';

/** Token of the options as they were given. */
export const SESSION_OPTIONS: unique symbol = Symbol('rookery:session:options');

/** What shapes the module itself and is no option of the sessions. */
export interface SessionModuleExtras {
  /** Whether every module may use sessions without importing SessionModule. Default true. */
  readonly isGlobal?: boolean;
}

/** Gives SessionModule its `forRoot` and `forRootAsync`, and the type of what `forRoot` takes. */
export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<SessionModuleOptions>({
  optionsInjectionToken: SESSION_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<SessionModuleExtras>({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal ?? true,
  }))
  .build();
