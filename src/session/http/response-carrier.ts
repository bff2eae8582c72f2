import type { SessionCookie } from '../cookie/session-cookie.js';
import { UNKNOWN_DEVICE } from '../engine/device.js';
import type { SessionCarrier, SessionHandle } from '../session.js';

/** Node's response, which Express' is, or Fastify's reply. */
interface AnyResponse {
  readonly appendHeader?: (name: string, value: string) => unknown;
  readonly header?: (name: string, value: string) => unknown;
  readonly raw?: Pick<AnyResponse, 'headersSent' | 'once'>;
  readonly once?: (event: 'close', listener: () => void) => unknown;
  readonly headersSent?: boolean;
}

/** Gives ids to a client by the cookies of its answer. */
export class ResponseCarrier implements SessionCarrier {
  #isWatched = false;
  #isGivenUp = false;

  constructor(
    private response: unknown,
    private readonly cookie: SessionCookie,
    private readonly deviceOf: () => string,
    private hasCookie: boolean,
  ) {}

  /** The same answer, as the adapter knows it. */
  answerBy(response: unknown): void {
    this.response = response;
  }

  get device(): string {
    return this.deviceOf();
  }

  get isOpen(): boolean {
    const response = this.response as AnyResponse;
    return (response.raw ?? response).headersSent !== true;
  }

  /** What a guard has changed before it threw, or a handler that writes its answer itself, is not lost. */
  mayChange(session: Pick<SessionHandle, 'isNew' | 'hasChanged' | 'save'>): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const response = this.response as AnyResponse;
    (response.raw ?? response).once?.('close', () => {
      if (!this.#isGivenUp && !session.isNew && session.hasChanged) session.save().catch(ignoreSinceItIsCounted);
    });
  }

  /** Nothing is saved any more once the answer is out. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  issue(id: string, lifeMs: number): void {
    this.hasCookie = true;
    this.#append(this.cookie.issue(id, lifeMs));
  }

  withdraw(): void {
    if (!this.hasCookie || !this.isOpen) return;
    this.hasCookie = false;
    this.#append(this.cookie.withdraw());
  }

  #append(value: string): void {
    const response = this.response as AnyResponse;
    // Fastify's appends cookies, and replaces other headers. Express' has both.
    if (response.appendHeader !== undefined) response.appendHeader('Set-Cookie', value);
    else response.header?.('set-cookie', value);
  }
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
