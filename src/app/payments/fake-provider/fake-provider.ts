import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Behaviour, behaviourIn, Behaviours } from './behaviour.js';
import { type Charge, ChargeBook, type ChargeOrder } from './charge-book.js';

const LONGEST_BODY = 10_000;

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

type NoReply = 'never' | 'cut';

/**
 * A payment provider that moves no money, for people who try the shop and for tests: a server of its own on a free port of loopback.
 *
 * - `POST /charges` with an `Idempotency-Key` charges once for each key, and answers with the same charge whenever it is asked again;
 * - `GET /charges` lists them;
 * - `PUT /behaviour` says how the next ones go, see {@link Behaviour}.
 */
export class FakeProvider {
  readonly #server: Server;
  readonly #apiKey: string | undefined;
  readonly #behaviours = new Behaviours();
  readonly #book = new ChargeBook();

  private constructor(apiKey: string | undefined) {
    this.#apiKey = apiKey;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** @param apiKey what charges must bear as token; without one, nothing */
  static async start(apiKey?: string): Promise<FakeProvider> {
    const provider = new FakeProvider(apiKey);
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    return provider;
  }

  /** Without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** In the order in which they were made. */
  get charges(): readonly Charge[] {
    return this.#book.charges;
  }

  /** How often it was asked for a charge with the key, whatever came of it. */
  requests(idempotencyKey: string): number {
    return this.#book.requests(idempotencyKey);
  }

  /** How the next charges go. What is left out is ordinary. */
  behave({ delayMs = 0, failure = 'none', times }: Partial<Behaviour>): void {
    this.#behaviours.set({ delayMs, failure, times });
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#replyTo(request, await jsonOf(request));
    if (reply === 'never') return;
    if (reply === 'cut') response.destroy();
    else response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
  }

  async #replyTo({ method = '', url = '', headers }: IncomingMessage, body: unknown): Promise<Reply | NoReply> {
    switch (`${method} ${url}`) {
      case 'POST /charges':
        return this.#charge(headers, body);
      case 'GET /charges':
        return { status: 200, body: this.charges };
      case 'PUT /behaviour': {
        const behaviour = behaviourIn(body);
        if (behaviour === undefined) return failed(400, 'no such behaviour');
        this.#behaviours.set(behaviour);
        return { status: 200, body: behaviour };
      }
      default:
        return failed(404, 'no such route');
    }
  }

  async #charge(headers: IncomingHttpHeaders, body: unknown): Promise<Reply | NoReply> {
    if (this.#apiKey !== undefined && headers.authorization !== `Bearer ${this.#apiKey}`) {
      return failed(401, 'wrong API key');
    }
    const key = headers['idempotency-key'];
    const order = orderIn(body);
    if (typeof key !== 'string' || order === undefined) return failed(400, 'no such charge');
    this.#book.noteRequest(key);
    const { delayMs, failure } = this.#behaviours.next();
    const reply = failure === 'error' ? failed(500, 'out of order') : this.#decide(key, order, failure === 'decline');
    if (delayMs > 0) await delay(delayMs, undefined, { ref: false });
    if (failure === 'hang') return 'never';
    return failure === 'drop' ? 'cut' : reply;
  }

  #decide(key: string, order: ChargeOrder, isDeclined: boolean): Reply {
    const charge = this.#book.charge(key, order, isDeclined);
    if (charge === 'declined') return failed(402, 'declined');
    if (charge === 'another-charge') return failed(422, 'the key is that of another charge');
    return { status: 201, body: charge };
  }
}

function orderIn(body: unknown): ChargeOrder | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { amountCents, currency, paymentMethod } = body as Readonly<Record<string, unknown>>;
  const isUsable =
    Number.isSafeInteger(amountCents) &&
    Number(amountCents) >= 0 &&
    typeof currency === 'string' &&
    typeof paymentMethod === 'string';
  return isUsable ? { amountCents: Number(amountCents), currency, paymentMethod } : undefined;
}

/** Undefined for what is no JSON. */
async function jsonOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > LONGEST_BODY) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const failed = (status: number, error: string): Reply => ({ status, body: { error } });
