import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Script } from '../../../src/core/scripts/define-script.js';
import type { ScriptWord } from '../../../src/core/scripts/script-transport.js';
import type { LockKeys } from '../../../src/lock/engine/lock-keys.js';
import { lockInspect } from '../../../src/lock/lock.scripts.gen.js';

/** A key lives for as long as the test takes, once it has been seen for how long it would have. */
const HOLD_MS = 600_000;

/** What a script did. */
export interface Ran<Reply> {
  readonly reply: Reply;
  /** The commands that may write. */
  readonly written: readonly string[];
  /** Of each key the milliseconds that it has yet to live; -1: for ever, -2: it is not there. */
  readonly ttlsMs: readonly number[];
  /** What `lua/lock/inspect.lua` says of each lock afterwards. */
  readonly looks: readonly (readonly number[])[];
}

/** Runs a script within another one, which has a clock of its own and sees to it that keys live by that clock; then looks at all locks. */
const AROUND = `
local given, words = redis, ARGV
local count = #words
local own, seconds, micros = tonumber(words[count]), words[count - 2], words[count - 1]
local all = { unpack(KEYS, own + 1) }
local ttlsFrom = count - 3 - #all
for i, key in ipairs(all) do
  local ttlMs = tonumber(words[ttlsFrom + i])
  if ttlMs < 0 then given.call('DEL', key) else given.call('PEXPIRE', key, math.max(1, ttlMs)) end
end
local READS = { GET = 1, MGET = 1, PTTL = 1, EXISTS = 1, ZCARD = 1, ZRANGE = 1, ZRANGEBYSCORE = 1, ZRANK = 1, ZSCORE = 1, PUBLISH = 1, PUBSUB = 1 }
local written = {}
local redis = {
  call = function(command, ...)
    if command == 'TIME' then return { seconds, micros } end
    if not READS[command] then written[#written + 1] = command end
    return given.call(command, ...)
  end
}
local ARGV = { unpack(words, 1, ttlsFrom) }
local function script(KEYS)
-- SCRIPT
end
local function look(KEYS)
-- LOOK
end
local reply = script({ unpack(KEYS, 1, own) })
local ttls, looks = {}, {}
for i, key in ipairs(all) do
  ttls[i] = given.call('PTTL', key)
  given.call('PEXPIRE', key, ${HOLD_MS})
end
local writtenByScript = { unpack(written) }
for i = 1, #all, 3 do looks[#looks + 1] = look({ unpack(all, i, i + 2) }) end
-- What looks may not write.
if #written > #writtenByScript then writtenByScript[#writtenByScript + 1] = 'by a look' end
return { reply, writtenByScript, ttls, looks }
`;

interface Around {
  readonly source: string;
  readonly sha1: string;
}

const arounds = new Map<string, Around>();

function around(script: string): Around {
  const known = arounds.get(script);
  if (known !== undefined) return known;
  // By functions, since a string could hold what `replace` takes for a pattern.
  const source = AROUND.replace('-- SCRIPT', () => script).replace('-- LOOK', () => lockInspect.source);
  const made = { source, sha1: createHash('sha1').update(source).digest('hex') };
  arounds.set(script, made);
  return made;
}

/** Scripts at the times that a test says, to the microsecond, whatever the time is. */
export class TimedScripts {
  /** When keys end, in milliseconds. */
  readonly #endsMs = new Map<string, number>();

  constructor(private readonly client: Redis | Cluster) {}

  /** Whether its time to live is over. Then it is gone for good, also when the clock is set back. */
  isGone(key: string, nowUs: number): boolean {
    if (this.#ttlMs(key, nowUs) < 0) this.#endsMs.set(key, -Infinity);
    return this.#endsMs.get(key) === -Infinity;
  }

  /** @param locks all that the script may touch, and more that are to be seen */
  async run<Keys, Args, Reply>(
    nowUs: number,
    script: Script<Keys, Args, Reply>,
    own: NoInfer<Keys>,
    args: NoInfer<Args>,
    locks: readonly LockKeys[],
  ): Promise<Ran<Reply>> {
    const all = locks.flatMap(({ lock, shares, queue }) => [lock, shares, queue]);
    const words: readonly ScriptWord[] = script.encode(own, args);
    const count = Number(words[1]);
    const ttls = all.map((key) => (this.isGone(key, nowUs) ? -1 : this.#ttlMs(key, nowUs)));
    const time = [Math.floor(nowUs / 1_000_000), nowUs % 1_000_000];
    const [reply, written, ttlsMs, looks] = (await this.#eval(around(script.source), [
      count + all.length,
      ...words.slice(2, 2 + count),
      ...all,
      ...words.slice(2 + count),
      ...ttls,
      ...time,
      count,
    ])) as [unknown, string[], number[], number[][]];
    ttlsMs.forEach((ttlMs, i) => {
      const key = all[i] as string;
      if (ttlMs < 0) this.#endsMs.delete(key);
      else this.#endsMs.set(key, Math.floor(nowUs / 1_000) + ttlMs);
    });
    return { reply: script.decode(reply), written, ttlsMs, looks };
  }

  async #eval({ source, sha1 }: Around, [count, ...words]: readonly [number, ...ScriptWord[]]): Promise<unknown> {
    try {
      return await this.client.evalsha(sha1, count, ...words);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.client.eval(source, count, ...words);
    }
  }

  #ttlMs(key: string, nowUs: number): number {
    return (this.#endsMs.get(key) ?? Math.floor(nowUs / 1_000) + HOLD_MS) - Math.floor(nowUs / 1_000);
  }
}
