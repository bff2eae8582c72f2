import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { RedisModuleOptions } from './config/redis.options.js';

/** Token of the options as they were given. */
export const REDIS_OPTIONS: unique symbol = Symbol('rookery:redis:options');

/** What stands beside the options, for the module itself. */
export interface RedisModuleExtras {
  /** Whether every module sees the connections without importing RedisModule. Default true. */
  readonly isGlobal?: boolean;
  /** With `forRootAsync`: names of the further connections that `@InjectRedis('name')` asks for, since the options are not known yet when modules are wired. */
  readonly connectionNames?: readonly string[];
}

/** What Nest builds of it: `forRoot` and `forRootAsync`, with options and extras in one object. */
export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<RedisModuleOptions>({ optionsInjectionToken: REDIS_OPTIONS })
    .setClassMethodName('forRoot')
    .setExtras<RedisModuleExtras>({ isGlobal: true, connectionNames: [] }, (definition, extras) => ({
      ...definition,
      global: extras.isGlobal ?? true,
    }))
    .build();
