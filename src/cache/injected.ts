import type { InjectionToken } from '@nestjs/common';

/** What Nest injects for the tokens: an instance for a class; for another token, what the factory says that it takes. */
export type Injected<Tokens extends readonly InjectionToken[]> = {
  [Index in keyof Tokens]: Tokens[Index] extends abstract new (...args: never) => infer Instance ? Instance : never;
};
