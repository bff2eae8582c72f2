import type { SessionCookie } from '../cookie/session-cookie.js';
import { UNKNOWN_DEVICE } from '../engine/device.js';
import type { SessionCarrier, SessionHandle } from '../session.js';
import { SessionUsageError } from '../session.errors.js';
import { KeptCookie, type CookieResponse } from './kept-cookie.js';

/** Node's response, which Express' is too. */
interface NodeResponse extends CookieResponse {
  appendHeader(name: string, value: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** Gives ids to a client by the cookies of its answer. */
export class ResponseCarrier implements SessionCarrier {
  readonly #response: NodeResponse;
  #kept: KeptCookie | undefined;
  #isWatched = false;
  #isGivenUp = false;

  /** @param response as either adapter knows it, or Node's */
  constructor(
    response: unknown,
    private readonly cookie: SessionCookie,
    private readonly deviceOf: () => string,
    private hasCookie: boolean,
  ) {
    this.#response = nodeResponseOf(response);
  }

  get device(): string {
    return this.deviceOf();
  }

  get isOpen(): boolean {
    return !this.#response.headersSent;
  }

  /**
   * What a guard has changed before it threw, or a handler that writes its answer itself, is not lost, where the client has the cookie already. A new session
   * is: there is no answer any more that could carry its cookie.
   */
  mayChange(session: Pick<SessionHandle, 'isNew' | 'hasChanged' | 'save'>): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#response.once('close', () => {
      if (!this.#isGivenUp && !session.isNew && session.hasChanged) session.save().catch(ignoreSinceItIsCounted);
    });
  }

  /** Nothing is saved any more once the answer is out. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** @throws {SessionUsageError} where the answer was sent while the session was being stored */
  issue(id: string, lifeMs: number): void {
    if (!this.isOpen) {
      throw new SessionUsageError(
        'The answer was sent while the session was being stored, and is without its cookie. Wait for save, logIn and regenerate before you answer.',
      );
    }
    this.hasCookie = true;
    this.#append(this.cookie.issue(id, lifeMs));
  }

  withdraw(): void {
    if (!this.hasCookie || !this.isOpen) return;
    this.hasCookie = false;
    this.#append(this.cookie.withdraw());
  }

  #append(value: string): void {
    this.#response.appendHeader('Set-Cookie', value);
    if (this.#kept === undefined) this.#kept = new KeptCookie(this.#response, value);
    else this.#kept.value = value;
  }
}

/** Of a Fastify reply, what it writes to. An Express application may have put something of its own there. */
function nodeResponseOf(response: unknown): NodeResponse {
  const { raw } = response as { readonly raw?: NodeResponse };
  return raw?.writeHead === undefined ? (response as NodeResponse) : raw;
}

/** For a call whose answer can set no cookie: a message over a WebSocket. */
export const NO_CARRIER: SessionCarrier = {
  device: UNKNOWN_DEVICE,
  isOpen: false,
  mayChange: () => undefined,
  issue: () => undefined,
  withdraw: () => undefined,
};

/** For a session whose token the application itself gives to the client. */
export function handedOver(device: string): SessionCarrier {
  return { device, isOpen: true, mayChange: () => undefined, issue: () => undefined, withdraw: () => undefined };
}

function ignoreSinceItIsCounted(): void {
  // The answer is out; `lateSaves` and the connection's health tell of it.
}
