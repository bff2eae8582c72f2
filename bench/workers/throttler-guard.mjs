import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ThrottlerGuard } from 'rookery/throttler';
import { serve } from '../lib/crew.mjs';
import { CALLERS, openDecisions } from '../lib/decisions.mjs';
import { openLimits } from '../lib/limiters/rookery.mjs';
import { median } from '../lib/stats.mjs';

class ProductsController {
  find() {
    return undefined;
  }
}

/** What a server hands to the handlers of a request from this address. */
function contextOf(address) {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  const request = new IncomingMessage(socket);
  const response = new ServerResponse(request);
  return new ExecutionContextHost([request, response], ProductsController, ProductsController.prototype.find);
}

/** All that the guard does for a request, from the address of its caller to the headers of its answer. */
async function openGuard({ policies }, redis) {
  const { app, limiter } = await openLimits(redis, { policies });
  const guard = app.get(ThrottlerGuard);
  return {
    prepare: (i) => contextOf(CALLERS[i % CALLERS.length]),
    run: (context) => guard.canActivate(context),
    check: () => {
      if (limiter.counters.decidedWithoutRedis > 0) throw new Error('rookery: Redis was to decide');
    },
    close: () => app.close(),
  };
}

async function openLimiter(setup, redis) {
  const { run, close } = await openDecisions(setup, redis);
  return { prepare: (i) => i, run: (i) => run(0, i), check: () => undefined, close };
}

/** One caller's waiting times. */
serve(async ({ setup, redis }) => {
  const { prepare, run, check, close } = await (setup.isGuard ? openGuard : openLimiter)(setup, redis);
  return {
    /** The median, in microseconds. */
    async p50(calls) {
      const arguments_ = Array.from({ length: calls }, (_, i) => prepare(i));
      const tookUs = new Float64Array(calls);
      for (let i = 0; i < calls; i++) {
        const startedNs = process.hrtime.bigint();
        await run(arguments_[i]);
        tookUs[i] = Number(process.hrtime.bigint() - startedNs) / 1_000;
      }
      check();
      return median(tookUs);
    },
    close,
  };
});
