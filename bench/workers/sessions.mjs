import { rateOf } from '../lib/compare.mjs';
import { serve } from '../lib/crew.mjs';
import { openLoads, openSaves } from '../lib/session-work.mjs';

/** The sessions of one library. */
serve(async ({ setup, kind, redis }) => {
  const { run, prepare, close } = await (kind === 'loads' ? openLoads : openSaves)(setup, redis);
  return {
    rate: async ({ operations, concurrency }) => {
      await prepare?.(operations);
      return rateOf(run, operations, concurrency);
    },
    close,
  };
});
