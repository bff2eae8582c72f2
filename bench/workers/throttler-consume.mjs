import { rateOf } from '../lib/compare.mjs';
import { serve } from '../lib/crew.mjs';
import { openDecisions, openRefusals } from '../lib/decisions.mjs';

/** One limiter's decisions. */
serve(async ({ setup, kind, redis }) => {
  const { run, close } = await (kind === 'decisions' ? openDecisions : openRefusals)(setup, redis);
  return { rate: ({ operations, concurrency }) => rateOf(run, operations, concurrency), close };
});
