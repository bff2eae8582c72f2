import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Script } from '../../core/scripts/define-script.js';
import type { ScriptRunner } from '../../core/scripts/script-runner.js';
import type { ScriptSendOptions } from '../../core/scripts/script-transport.js';

/** Noted here and not by a class of their own: they go on being what whoever catches them expects. */
const ours = new WeakSet<RedisUnavailableError>();

/** Whether Redis was away for a session, and not for what else uses the same connection: a lock say, whose failure is the application's own. */
export function isSessionsAway(error: unknown): error is RedisUnavailableError {
  return error instanceof RedisUnavailableError && ours.has(error);
}

/** Notes a failure as one of sessions, and throws it. */
export function failOfSessions(error: unknown): never {
  if (error instanceof RedisUnavailableError) ours.add(error);
  throw error;
}

/** Runs the scripts of sessions as `ScriptRunner` does, and notes what they fail with. */
export class SessionScripts {
  constructor(private readonly scripts: Pick<ScriptRunner, 'run'>) {}

  run<Keys, Args, Reply>(
    script: Script<Keys, Args, Reply>,
    keys: NoInfer<Keys>,
    args: NoInfer<Args>,
    options: ScriptSendOptions,
  ): Promise<Reply> {
    return this.scripts.run(script, keys, args, options).catch(failOfSessions);
  }
}
