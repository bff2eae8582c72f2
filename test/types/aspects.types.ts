/** What must not compile. Read by `tsc` alone, which fails when a line below an expectation has no error. */
import { aroundMethod, type Aspect, type MethodCall } from '../../src/core/aspects/around-method.js';

interface Limit {
  readonly perSecond: number;
}

export class LimitAspect implements Aspect<Limit> {
  async around(call: MethodCall, { perSecond }: Limit): Promise<unknown> {
    // @ts-expect-error: an aspect may look at the arguments and not change them
    call.args[0] = perSecond;
    // @ts-expect-error: nor put another object in the place of the instance
    call.instance = {};
    const result: unknown = await call.proceed();
    return result;
  }
}

export class Wrong implements Aspect<Limit> {
  // @ts-expect-error: around takes the call first
  async around(options: Limit): Promise<unknown> {
    return options;
  }
}

const Limited = (limit: Limit): MethodDecorator => aroundMethod('Limited', LimitAspect, 'LimitModule', limit);

export class Shop {
  @Limited({ perSecond: 1 })
  async buy(): Promise<void> {}

  // @ts-expect-error: the options are checked
  @Limited({ perMinute: 1 })
  async sell(): Promise<void> {}

  // @ts-expect-error: it is for methods
  @Limited({ perSecond: 1 })
  price = 1;
}
