import { rateOf } from '../lib/compare.mjs';
import { serve } from '../lib/crew.mjs';
import { openPairs } from '../lib/pairs.mjs';

/** One locker's pairs. */
serve(async ({ setup, redis }) => {
  const { run, close } = await openPairs(setup, redis);
  return { rate: ({ operations, concurrency }) => rateOf(run, operations, concurrency), close };
});
