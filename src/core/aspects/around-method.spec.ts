import 'reflect-metadata';
import { Body, Controller, Global, Injectable, Module, Post, Scope, SetMetadata, type Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AspectNotBoundError } from './aspect-not-bound.error.js';
import { aroundMethod, type Aspect, type MethodCall } from './around-method.js';

const TRACE = Symbol('@Trace (import TraceModule)');
const TIMES = Symbol('@Times (import TraceModule)');

/** Notes what it sees. */
@Injectable()
class TraceAspect implements Aspect<string> {
  static readonly seen: string[] = [];
  static last: MethodCall | undefined;

  async around(call: MethodCall, label: string): Promise<unknown> {
    TraceAspect.seen.push(
      `${label} before ${call.method.declaringClass.name}.${call.method.name}(${call.args.join()})`,
    );
    TraceAspect.last = call;
    const result = await call.proceed();
    TraceAspect.seen.push(`${label} after`);
    return result;
  }
}

@Injectable()
class TimesAspect implements Aspect<number> {
  async around({ proceed }: MethodCall, factor: number): Promise<unknown> {
    return factor * Number(await proceed());
  }
}

@Global()
@Module({
  providers: [
    { provide: TRACE, useClass: TraceAspect },
    { provide: TIMES, useClass: TimesAspect },
  ],
  exports: [TRACE, TIMES],
})
class TraceModule {}

const Trace = (label: string): MethodDecorator => aroundMethod('Trace', TRACE, 'TraceModule', label);
const Times = (factor: number): MethodDecorator => aroundMethod('Times', TIMES, 'TraceModule', factor);

let module: TestingModule | undefined;

async function build(...providers: Type[]): Promise<TestingModule> {
  module = await Test.createTestingModule({ imports: [TraceModule], providers }).compile();
  return module;
}

afterEach(async () => {
  TraceAspect.seen.length = 0;
  TraceAspect.last = undefined;
  await module?.close();
  module = undefined;
});

@Injectable()
class Sums {
  readonly base: number = 10;

  @Trace('sum')
  async sum(a: number, b = 1): Promise<number> {
    return this.base + a + b;
  }

  @Trace('fail')
  async fail(): Promise<never> {
    throw new TypeError('no');
  }

  @Trace('sync')
  fails(): Promise<never> {
    throw new TypeError('no');
  }
}

describe('a decorated method', () => {
  it('runs through its aspect, which sees the call', async () => {
    const sums = (await build(Sums)).get(Sums);
    expect(await sums.sum(1, 2)).toBe(13);
    expect(TraceAspect.seen).toEqual(['sum before Sums.sum(1,2)', 'sum after']);
    expect(TraceAspect.last).toMatchObject({ instance: sums, args: [1, 2], method: { name: 'sum' } });
    await sums.sum(1);
    expect(TraceAspect.last?.method).toBe(TraceAspect.last?.method);
  });

  it('fails with its own error, thrown or rejected', async () => {
    const sums = (await build(Sums)).get(Sums);
    await expect(sums.fail()).rejects.toThrow(new TypeError('no'));
    await expect(sums.fails()).rejects.toThrow(new TypeError('no'));
  });

  it('gives its aspect one object per method to keep things by', async () => {
    const sums = (await build(Sums)).get(Sums);
    await sums.sum(1);
    const first = TraceAspect.last?.method;
    await sums.sum(2);
    expect(TraceAspect.last?.method).toBe(first);
  });

  it('works when it is request-scoped, and when it is made by ModuleRef', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends Sums {
      @Trace('mine')
      async mine(): Promise<string> {
        return 'mine';
      }
    }
    const built = await build(PerRequest);
    const one = await built.resolve(PerRequest, ContextIdFactory.create());
    const other = await built.resolve(PerRequest, ContextIdFactory.create());
    expect(one).not.toBe(other);
    expect(await one.mine()).toBe('mine');
    expect(await other.sum(1)).toBe(12);
    const made = await built.get(ModuleRef).create(Sums);
    expect(await made.sum(1)).toBe(12);
  });

  it('works when it is inherited, overridden and called through super, each with its own decorator', async () => {
    @Injectable()
    class Inherits extends Sums {}
    @Injectable()
    class Overrides extends Sums {
      @Trace('override')
      override async sum(a: number): Promise<number> {
        return (await super.sum(a)) * 2;
      }
    }
    @Injectable()
    class OverridesPlainly extends Sums {
      override async sum(): Promise<number> {
        return 0;
      }
    }
    const built = await build(Inherits, Overrides, OverridesPlainly);
    expect(await built.get(Inherits).sum(1)).toBe(12);
    expect(TraceAspect.seen.splice(0)).toEqual(['sum before Sums.sum(1)', 'sum after']);
    expect(await built.get(Overrides).sum(1)).toBe(24);
    expect(TraceAspect.seen.splice(0)).toEqual([
      'override before Overrides.sum(1)',
      'sum before Sums.sum(1)',
      'sum after',
      'override after',
    ]);
    expect(await built.get(OverridesPlainly).sum()).toBe(0);
    expect(TraceAspect.seen).toEqual([]);
  });

  it('stands in for its class when another is provided in its place', async () => {
    @Injectable()
    class Other extends Sums {
      override readonly base = 100;
    }
    module = await Test.createTestingModule({
      imports: [TraceModule],
      providers: [{ provide: Sums, useClass: Other }],
    }).compile();
    expect(await module.get(Sums).sum(1)).toBe(102);
  });

  it('can have its aspect replaced in a test', async () => {
    module = await Test.createTestingModule({ imports: [TraceModule], providers: [Sums] })
      .overrideProvider(TRACE)
      .useValue({ around: async () => 'replaced' } satisfies Aspect<string>)
      .compile();
    expect(await module.get(Sums).sum(1)).toBe('replaced');
  });
});

describe('several decorators', () => {
  it('run in the order in which they are written, whether they share an aspect or not', async () => {
    @Injectable()
    class Shop {
      @Trace('outer')
      @Times(3)
      @Trace('inner')
      async price(): Promise<number> {
        return 5;
      }

      @Trace('stock')
      async stock(): Promise<number> {
        return 1;
      }
    }
    const shop = (await build(Shop)).get(Shop);
    expect(await shop.price()).toBe(15);
    expect(TraceAspect.seen.splice(0)).toEqual([
      'outer before Shop.price()',
      'inner before Shop.price()',
      'inner after',
      'outer after',
    ]);
    expect(await shop.stock()).toBe(1);
  });
});

describe('what others see of a decorated method', () => {
  const Mark = (value: string): MethodDecorator => SetMetadata('mark', value);

  @Controller('shop')
  class ShopController {
    @SetMetadata('above', 1)
    @Trace('x')
    @SetMetadata('below', 2)
    @Mark('x')
    @Post('buy')
    async buy(@Body() order: object, _second: string): Promise<object> {
      return order;
    }
  }

  const { buy } = ShopController.prototype;

  it('is its name, its length and the metadata from above and below', () => {
    expect(buy.name).toBe('buy');
    expect(buy).toHaveLength(2);
    expect(Reflect.getMetadata('above', buy)).toBe(1);
    expect(Reflect.getMetadata('below', buy)).toBe(2);
    expect(Reflect.getMetadata('mark', buy)).toBe('x');
    expect(Reflect.getMetadata(PATH_METADATA, buy)).toBe('buy');
    expect(Reflect.getMetadata('design:paramtypes', ShopController.prototype, 'buy')).toEqual([Object, String]);
  });

  it('is what they put on the function itself', () => {
    const tag = Symbol('tag');
    const Tagged: MethodDecorator = (_target, _key, descriptor) => {
      Object.assign(descriptor.value as object, { note: 'kept', [tag]: 1 });
    };
    class Shop {
      @Trace('x')
      @Tagged
      async buy(): Promise<void> {}
    }
    expect({ ...Shop.prototype.buy }).toEqual({ note: 'kept', [tag]: 1 });
  });
});

describe('where there is no aspect', () => {
  it('rejects on an object that Nest did not build, and says what to do', async () => {
    const error = (await new Sums().sum(1).catch((reason: unknown) => reason)) as AspectNotBoundError;
    expect(error).toBeInstanceOf(AspectNotBoundError);
    expect(error).toMatchObject({
      code: 'ROOKERY_ASPECT_NOT_BOUND',
      context: { decorator: 'Trace', method: 'Sums.sum' },
    });
    expect(error.message).toContain("Inject Sums instead of calling 'new', and import TraceModule");
    expect(TraceAspect.seen).toEqual([]);
  });

  it('rejects when the method was torn off its object', async () => {
    const { sum } = (await build(Sums)).get(Sums);
    await expect(sum(1)).rejects.toThrow(AspectNotBoundError);
  });

  it('fails the boot without the module, and the message says what to import', async () => {
    const boot = Test.createTestingModule({ providers: [Sums] }).compile();
    await expect(boot).rejects.toThrow('Symbol(@Trace (import TraceModule))');
  });

  it('fails where the class is declared, when it is not on a method of instances', () => {
    expect(() => {
      class Shop {
        @Trace('x')
        static async buy(): Promise<void> {}
      }
      return Shop;
    }).toThrow('@Trace is for methods of an instance; buy is none');
    expect(() => {
      class Shop {
        @Trace('x')
        get price(): number {
          return 1;
        }
      }
      return Shop;
    }).toThrow('@Trace is for methods of an instance; price is none');
  });
});
