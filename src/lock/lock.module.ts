import { Module, type DynamicModule } from '@nestjs/common';
import { FencedStore } from './fencing/fenced-store.js';
import { LOCK_ASPECT } from './lock.decorator.js';
import { LockAspect } from './lock.aspect.js';
import { ConfigurableModuleClass, LOCK_OPTIONS, type OPTIONS_TYPE } from './lock.module-definition.js';
import { LockRuntime } from './lock.runtime.js';
import { LockService } from './lock.service.js';

/** Distributed locks: `LockService`, `@Lock` and `FencedStore`. Needs `RedisModule.forRoot` at the root of the application. */
@Module({
  providers: [LockRuntime, LockService, FencedStore, { provide: LOCK_ASPECT, useClass: LockAspect }],
  exports: [LOCK_OPTIONS, LockService, FencedStore, LOCK_ASPECT],
})
export class LockModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
