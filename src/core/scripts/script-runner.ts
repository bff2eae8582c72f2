import type { Script } from './define-script.js';
import type { ScriptSendOptions, ScriptTransport, ScriptWord } from './script-transport.js';

/** One call of a script among many. */
export interface ScriptCall<Keys, Args> {
  readonly keys: Keys;
  readonly args: Args;
}

/**
 * Runs scripts by their digest.
 *
 * A call is one round trip. Where the node does not know the script (it is new, it was restarted, it lost its cache to
 * SCRIPT FLUSH, another replica was promoted) the same call goes out once more with the source, which also teaches the
 * node; on Cluster each node learns for itself. A call that ran is never sent again by the runner: only NOSCRIPT, which
 * says that nothing ran, leads to a second attempt (the build refuses scripts that make this error up). `deadlineMs` bounds
 * the two together; without it each has the transport's own deadline.
 *
 * Values are checked on both ways: see `ScriptArgumentError` (nothing was sent) and `ScriptReplyError` (the script ran).
 * Errors of the transport arrive as they are.
 */
export class ScriptRunner {
  readonly #transport: ScriptTransport;

  constructor(transport: ScriptTransport) {
    this.#transport = transport;
  }

  /** Runs a script once. */
  async run<Keys, Args, Reply>(
    script: Script<Keys, Args, Reply>,
    keys: NoInfer<Keys>,
    args: NoInfer<Args>,
    options?: ScriptSendOptions,
  ): Promise<Reply> {
    return script.decode(await this.#send(script.source, script.encode(keys, args), options));
  }

  /**
   * Runs a script many times in one write; the replies come in the order of the calls.
   *
   * All calls are checked before the first is sent. They are not a transaction: when some fail, the others have run all
   * the same, and the promise rejects with the first error, in the order of the calls, once every call has settled.
   *
   * Calls to one node run in the given order, with other clients' commands between them. The exception: when the script
   * is flushed from the node and loaded again by somebody else while the calls are on their way, those in the gap run
   * after the rest. Calls to different nodes of a Cluster have no order. A caller that needs more writes one script.
   */
  async runMany<Keys, Args, Reply>(
    script: Script<Keys, Args, Reply>,
    calls: readonly ScriptCall<NoInfer<Keys>, NoInfer<Args>>[],
    options?: ScriptSendOptions,
  ): Promise<Reply[]> {
    const commands = calls.map(({ keys, args }) => script.encode(keys, args));
    const results = await Promise.allSettled(commands.map((words) => this.#send(script.source, words, options)));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return script.decode(result.value);
    });
  }

  async #send(source: string, words: readonly ScriptWord[], options: ScriptSendOptions | undefined): Promise<unknown> {
    const startedMs = options?.deadlineMs === undefined ? 0 : performance.now();
    try {
      return await this.#transport.send('EVALSHA', words, options);
    } catch (error) {
      if (!isNoScript(error)) throw error;
    }
    return this.#transport.send('EVAL', [source, ...words.slice(1)], withoutElapsed(options, startedMs));
  }
}

/** By its shape, so that an error of another copy of the package counts too. */
function isNoScript(error: unknown): boolean {
  return error instanceof Error && 'replyCode' in error && error.replyCode === 'NOSCRIPT';
}

function withoutElapsed(options: ScriptSendOptions | undefined, startedMs: number): ScriptSendOptions | undefined {
  if (options?.deadlineMs === undefined) return options;
  return { ...options, deadlineMs: Math.max(1, options.deadlineMs - (performance.now() - startedMs)) };
}
