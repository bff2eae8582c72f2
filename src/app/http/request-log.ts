import { Logger } from '@nestjs/common';
import type { Exchange } from './exchange.js';

const logger = new Logger('Http');

/** Logs one line as each request ends: the pattern of its route, not its URL, which may tell about a person. */
export function logRequest(exchange: Exchange): void {
  const start = performance.now();
  const { method, response } = exchange;
  response.once('close', () => {
    const route = exchange.route();
    const status = response.statusCode;
    const durationMs = Math.round((performance.now() - start) * 10) / 10;
    const aborted = !response.writableFinished;
    // Probes come every few seconds for ever and say nothing when all is well.
    const level = route.startsWith('/health') && status < 400 ? 'debug' : 'log';
    logger[level](aborted ? 'request aborted' : 'request', { method, route, status, durationMs });
  });
}
