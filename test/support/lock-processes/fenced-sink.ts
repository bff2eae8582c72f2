import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Claim, Write } from './claims.js';
import { hearLines, tell } from './json-lines.js';
import type { ToSink } from './protocol.js';

/** Whether it looks at fences. */
export type SinkRule = 'fenced' | 'unfenced';

/** Where the children write: it takes a write only when no greater fence has written there, and remembers all of them. It knows nothing of Redis. */
export class FencedSink {
  readonly claims = new Map<string, Claim>();
  readonly writes: Write[] = [];
  readonly failures: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #greatest = new Map<string, number>();
  /** By resource: those who have written, and not ended. */
  readonly #holders = new Map<string, Claim>();
  /** By resource: the latest `grantedUs`. */
  readonly #latest = new Map<string, number>();
  readonly #onHold = new Set<(claim: Claim) => void>();
  readonly #onNews = new Set<() => void>();

  private constructor(
    private readonly rule: SinkRule,
    server: Server,
  ) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // A child was killed.
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      hearLines(socket, (message) => this.#hear(socket, message as ToSink));
    });
  }

  static async start(rule: SinkRule): Promise<FencedSink> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FencedSink(rule, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next one that has just taken a lock, and written for the first time. */
  nextHolder(): Promise<Claim> {
    return within(
      'somebody takes a lock',
      (resolve) => {
        this.#onHold.add(resolve);
        return () => this.#onHold.delete(resolve);
      },
      () => this.#describe(),
    );
  }

  /** What that process holds now, as far as is known. */
  heldBy(process: string): readonly string[] {
    return [...this.#holders.values()].filter((claim) => claim.process === process).map(({ resource }) => resource);
  }

  /** Resolves when each of these was granted after that time, and written under. */
  async untilTaken(resources: readonly string[], afterUs: number): Promise<void> {
    const isMet = (): boolean => resources.every((resource) => (this.#latest.get(resource) ?? 0) > afterUs);
    if (isMet()) return;
    await within<undefined>(
      `all of ${resources.join(', ')} are taken again`,
      (resolve) => {
        const look = (): void => {
          if (isMet()) resolve(undefined);
        };
        this.#onNews.add(look);
        return () => this.#onNews.delete(look);
      },
      () => this.#describe(),
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #hear(socket: Socket, message: ToSink): void {
    if ('failure' in message) this.failures.push(message.failure);
    else if ('ended' in message) {
      const { ended } = message;
      this.claims.set(ended.id, ended);
      if (this.#holders.get(ended.resource)?.id === ended.id) this.#holders.delete(ended.resource);
    } else {
      const { claim } = message;
      const isAccepted = this.#accept(claim);
      this.writes.push({ claim, isAccepted });
      tell(socket, { write: message.write, isAccepted });
      const isFirst = !this.claims.has(claim.id);
      this.claims.set(claim.id, claim);
      if (!isFirst) return;
      this.#holders.set(claim.resource, claim);
      this.#latest.set(claim.resource, Math.max(claim.grantedUs, this.#latest.get(claim.resource) ?? 0));
      for (const resolve of this.#onHold) resolve(claim);
    }
    for (const look of this.#onNews) look();
  }

  #accept({ resource, fence }: Claim): boolean {
    if (this.rule === 'unfenced') return true;
    const greatest = this.#greatest.get(resource) ?? 0;
    if (fence < greatest) return false;
    this.#greatest.set(resource, fence);
    return true;
  }

  #describe(): string {
    return `${this.writes.length} writes so far; ${this.failures.join('\n')}`;
  }
}

/** A lock that is stuck for so long is stuck for ever. */
const STUCK_MS = 20_000;

async function within<T>(
  what: string,
  listen: (resolve: (value: T) => void) => () => unknown,
  describe: () => string,
): Promise<T> {
  const over = new AbortController();
  let forget: () => unknown = () => undefined;
  const happened = new Promise<T>((resolve) => (forget = listen(resolve)));
  const tooLate = delay(STUCK_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`In ${STUCK_MS} ms it did not happen that ${what}: ${describe()}`);
  });
  try {
    return await Promise.race([happened, tooLate]);
  } finally {
    forget();
    over.abort();
    await tooLate.catch(() => undefined);
  }
}
