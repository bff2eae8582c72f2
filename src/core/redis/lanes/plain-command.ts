import { Command } from 'ioredis';

/** What a command takes. Numbers are sent as JavaScript prints them. */
export type CommandArgument = string | number | Buffer;

/** On a connection that everybody shares, these would change it for everybody, or hold everybody up. */
const NOT_SHARED: ReadonlyMap<string, string> = new Map([
  ...hints('connection.subscriber', ['subscribe', 'psubscribe', 'ssubscribe']),
  ...hints('connection.blocking()', [
    'blpop',
    'brpop',
    'brpoplpush',
    'blmove',
    'blmpop',
    'bzpopmin',
    'bzpopmax',
    'bzmpop',
  ]),
  ...hints('a script', ['multi', 'exec', 'discard', 'watch', 'unwatch']),
  ...hints('the options of RedisModule', ['select', 'auth', 'hello', 'reset', 'readonly', 'readwrite']),
  ...hints('a client of your own', ['monitor', 'quit', 'sync', 'psync']),
]);

/**
 * A command whose reply comes as RESP2 has it, whether the connection speaks RESP2 or RESP3, and however `name` is spelt.
 *
 * ioredis reshapes replies by the command's name in lower case. Its reshaping undoes RESP3's nesting; only for HGETALL it makes an object of
 * what RESP2 gives as a list.
 */
export function plainCommand(name: string, args: readonly CommandArgument[]): Command {
  const lower = name.toLowerCase();
  return new Command(lower === 'hgetall' ? 'HGETALL' : lower, args as CommandArgument[]);
}

/** What to use instead of a command that the others on a shared connection would not survive; null for all the rest. */
export function insteadOf(command: Command): string | null {
  return NOT_SHARED.get(command.name) ?? null;
}

function hints(instead: string, names: readonly string[]): [string, string][] {
  return names.map((name) => [name, instead]);
}
