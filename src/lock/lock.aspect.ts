import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../core/aspects/around-method.js';
import type { LockDecoratorOptions, NameFunction } from './lock.decorator.js';
import { LockNotAcquiredError } from './lock.errors.js';
import type { LockName } from './lock-name.js';
import { LockService } from './lock.service.js';

/** The work of `@Lock`. */
@Injectable()
export class LockAspect implements Aspect<LockDecoratorOptions> {
  constructor(private readonly locks: LockService) {}

  async around(call: MethodCall, options: LockDecoratorOptions): Promise<unknown> {
    const { name = nameOf(call), whenBusy = 'throw', ...rest } = options;
    const skips = whenBusy === 'skip';
    const using = { reentrant: true, ...(skips ? { wait: '0ms' as const } : {}), ...rest };
    let hasBegun = false;
    const work = (): Promise<unknown> => {
      hasBegun = true;
      return call.proceed();
    };
    try {
      return await this.locks.using(named(name, call.args), using, work);
    } catch (error) {
      // One that the method itself rejects with is not about this lock.
      if (skips && !hasBegun && error instanceof LockNotAcquiredError) return undefined;
      throw error;
    }
  }
}

function nameOf({ method }: MethodCall): string {
  return `${method.declaringClass.name}.${method.name}`;
}

function named(name: NameFunction | LockName, args: readonly unknown[]): LockName {
  return typeof name === 'function' ? (name as (...args: readonly unknown[]) => LockName)(...args) : name;
}
