/** What a command is made of, on its way to the server. */
export type ScriptWord = string | number | Buffer;

/** How one command is sent. */
export interface ScriptSendOptions {
  /** How long the caller waits for the reply, in milliseconds; the transport's own deadline when left out. */
  readonly deadlineMs?: number;
}

/**
 * The one thing that a `ScriptRunner` needs of a connection.
 *
 * - Integers arrive as `number`, bulk and status strings as `Buffer`, nil as `null`, arrays nested.
 * - A server's error reply rejects with an error whose `replyCode` is the reply's first word (`NOSCRIPT`, `WRONGTYPE`).
 * - Commands sent in one tick for one node are written in the order of the calls.
 * - On Cluster a command goes to the node of its first key.
 */
export interface ScriptTransport {
  send(command: string, args: readonly ScriptWord[], options?: ScriptSendOptions): Promise<unknown>;
}
