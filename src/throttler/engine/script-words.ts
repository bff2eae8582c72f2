import type { Definition } from '../policies/policy.js';
import type { Ask } from './ask.js';

/** Requests as lua/throttler/consume.lua reads them: each definition of a policy once, before the first request that uses it. */
export function scriptWords(asks: readonly Ask[]): number[] {
  const words: number[] = [];
  const defined: Definition[] = [];
  for (const { uses, callerKeys, holder } of asks) {
    const numbers = uses.map(({ definition }) => {
      const number = defined.indexOf(definition) + 1;
      if (number > 0) return number;
      words.push(...definition.words);
      return defined.push(definition);
    });
    words.push(-(uses.length + 16 * callerKeys.length + (holder > 0 ? 256 : 0)), ...numbers);
    if (holder > 0) words.push(holder);
  }
  return words;
}
