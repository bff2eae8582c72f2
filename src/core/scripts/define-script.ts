import { compileArguments, type ScriptParameter } from './compile-arguments.js';
import { compileReply } from './compile-reply.js';
import type { ReplyShape } from './reply-shape.js';
import { ScriptArgumentError } from './script-argument.error.js';
import type { ScriptWord } from './script-transport.js';

/** What the generator writes down about one Lua file. */
export interface ScriptDefinition {
  /** `feature/verb`, for messages. */
  readonly name: string;
  /** Of `source`, as the server computes it. */
  readonly sha1: string;
  readonly keys: readonly ScriptParameter[];
  readonly args: readonly ScriptParameter[];
  readonly reply: ReplyShape;
  readonly source: string;
}

/** A Lua script as a typed command. Run it with `ScriptRunner`. */
export interface Script<Keys, Args, Reply> {
  readonly name: string;
  readonly sha1: string;
  readonly source: string;
  /** The words of its EVALSHA: digest, number of keys, keys, arguments. */
  readonly encode: (keys: Keys, args: Args) => ScriptWord[];
  /** The typed value of a reply. */
  readonly decode: (reply: unknown) => Reply;
}

/**
 * Makes a typed command of a Lua script. Called by generated code alone: `lua/<feature>/<verb>.lua` is where scripts and
 * their types are written, and the build has checked the two against each other.
 */
export function defineScript<Keys extends object, Args extends object, Reply>({
  name,
  sha1,
  source,
  keys: declaredKeys,
  args: declaredArgs,
  reply,
}: ScriptDefinition): Script<Keys, Args, Reply> {
  const appendKeys = compileArguments(declaredKeys, name);
  const appendArgs = compileArguments(declaredArgs, name);
  const tail = declaredKeys.find(({ kind }) => kind === 'list')?.name;
  return {
    name,
    sha1,
    source,
    encode(keys, args) {
      const words: ScriptWord[] = [sha1, 0];
      appendKeys(keys as Readonly<Record<string, unknown>>, words);
      const count = words.length - 2;
      // Without a key a Cluster would run the script on any node.
      if (count === 0 && tail !== undefined) throw new ScriptArgumentError(name, tail, 'one key or more');
      words[1] = count;
      appendArgs(args as Readonly<Record<string, unknown>>, words);
      return words;
    },
    decode: compileReply(reply, name) as (reply: unknown) => Reply,
  };
}
