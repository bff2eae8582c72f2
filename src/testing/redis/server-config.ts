import { ConfigurationError } from '../../core/errors/configuration.error.js';

/** Directives of redis.conf by name. A list repeats the directive; a value is written as in redis.conf: `'900 1'` is two words. */
export type RedisDirectives = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** One directive, word by word. */
export type Directive = readonly [name: string, ...words: (string | number)[]];

/** The text of a redis.conf. Words are quoted, so that a path with a space or a password with a quote stays one word. */
export function renderConfig(directives: readonly Directive[], extra: RedisDirectives): string {
  const own = directives.map(([name, ...words]) => [name, ...words.map((word) => quote(String(word)))].join(' '));
  const added = Object.entries(extra).flatMap(([name, value]) =>
    [value].flat().map((words) => requireOneLine(`${name} ${words}`, name)),
  );
  return [...own, ...added, ''].join('\n');
}

/** As the server's own parser reads it: bytes outside printable ASCII, and the two that mean something, in hexadecimal. */
function quote(word: string): string {
  const bytes = [...Buffer.from(word)].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\x${byte.toString(16).padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  return `"${bytes.join('')}"`;
}

function requireOneLine(line: string, name: string): string {
  if (/[\r\n]/.test(line)) {
    throw new ConfigurationError(
      `startRedis: args.${JSON.stringify(name)} contains a line break. Give a list to repeat a directive.`,
    );
  }
  return line;
}
