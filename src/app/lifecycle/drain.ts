import { Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

/**
 * Knows the requests that are under way, and when the service is about to stop. From then on each response, also of
 * a request that came before, closes its connection: the client sends its next request elsewhere, and none is caught
 * on a connection that the server is closing.
 */
@Injectable()
export class Drain {
  readonly #open = new Set<ServerResponse>();
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  track(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
    if (this.#draining) {
      closeAfter(response);
    }
  }

  begin(): void {
    this.#draining = true;
    this.#open.forEach(closeAfter);
  }
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) {
    response.setHeader('connection', 'close');
  }
}
