import { rateOf } from '../lib/compare.mjs';
import { serve } from '../lib/crew.mjs';
import { openHits, openMisses } from '../lib/reads.mjs';

/** One contender's reads. */
serve(async ({ setup, kind, redis, value }) => {
  const { run, close } = await (kind === 'hits' ? openHits : openMisses)(setup, redis, value);
  return { rate: ({ operations, concurrency }) => rateOf(run, operations, concurrency), close };
});
