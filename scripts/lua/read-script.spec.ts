import { describe, expect, it } from '@jest/globals';
import { readScript } from './read-script.mjs';

const HEADER = `--[[
  Take the lock when it is free.
  KEYS  lock   string   the lock
  ARGV  token  string   owner token
  ARGV  ttlMs  integer  lease in milliseconds
  REPLY integer  1 when taken, 0 when held
]]
`;
const BINDINGS = `local lock = KEYS[1]
local token = ARGV[1]
local ttlMs = tonumber(ARGV[2])
`;
const BODY = `if redis.call('SET', lock, token, 'PX', ttlMs, 'NX') then return 1 end
return 0
`;
const GOOD = HEADER + BINDINGS + BODY;
const TAIL = `--[[
  Add numbers.
  KEYS  sum         string   the sum
  ARGV  label       string   a label
  ARGV  numbers...  integer  what to add
  REPLY nil
]]
local sum = KEYS[1]
local label = ARGV[1]
redis.call('SET', sum, label)
`;
const PAIRS = TAIL.replace('numbers...  integer', 'pairs...  (string, integer)');

function complaintsAbout(text: string): string[] {
  const { problems } = readScript({ feature: 'lock', verb: 'acquire', text });
  return problems.map((problem) => problem.in('lua/lock/acquire.lua').replace('lua/lock/acquire.lua:', ''));
}

/** The good script with one thing changed; the thing must be there. */
function changed(from: string, to: string, text = GOOD): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

describe('a script whose header agrees with its body', () => {
  it('passes', () => {
    expect(complaintsAbout(GOOD)).toEqual([]);
  });

  it('may speak of anything in its strings and comments', () => {
    const text = `-- KEYS[9], math.random() and os.time() are not code here\nlocal note = "redis.call('KEYS') [[ ARGV[7]"\n`;
    const long = '--[==[ KEYS[2] ]==]\nlocal other = [[ io.open(ARGV[3]) ]]\n';
    expect(complaintsAbout(HEADER + BINDINGS + text + long + BODY)).toEqual([]);
  });

  it.each([
    ['a loop', 'for i = 2, #ARGV do redis.call("INCRBY", sum, ARGV[i]) end'],
    ['a loop from a later place', 'for i = 3, #ARGV do redis.call("INCRBY", sum, ARGV[i - 1]) end'],
    ['unpack', 'redis.call("RPUSH", sum, unpack(ARGV, 2))'],
    ['its length', 'redis.call("INCRBY", sum, #ARGV)'],
    ['a loop over keys', 'for i = 1, 4 do redis.call("INCRBY", sum, ARGV[i * 1 + 1]) end'],
    ['one of its places', 'redis.call("INCRBY", sum, ARGV[3])'],
  ])('may read a tail by %s', (_, code) => {
    expect(complaintsAbout(TAIL + code)).toEqual([]);
  });

  it('may read a tail of tuples by a loop with the step of a tuple', () => {
    const code = 'for i = 2, #ARGV, 2 do redis.call("HSET", sum, ARGV[i], ARGV[i + 1]) end';
    expect(complaintsAbout(PAIRS + code)).toEqual([]);
  });

  it('may walk a tail that is all of KEYS with ipairs', () => {
    const text = `--[[
      Drop them.
      KEYS  entries...  any  what to drop
      REPLY nil
    ]]
    for _, entry in ipairs(KEYS) do redis.call('UNLINK', entry) end`;
    expect(complaintsAbout(text)).toEqual([]);
  });

  it.each(['if token then return 1 else return 0 end', 'do return 1 end', "error('no')"])(
    'may end in "%s"',
    (ending) => {
      expect(complaintsAbout(changed('return 0\n', ending))).toEqual([]);
    },
  );

  it('may end without a reply that can be nil', () => {
    const text = changed('return 0\n', '', changed('REPLY integer', 'REPLY integer | nil'));
    expect(complaintsAbout(text)).toEqual([]);
  });
});

describe('a script whose header disagrees with its body fails the build', () => {
  it.each([
    [
      'a KEYS line is removed',
      changed('  KEYS  lock   string   the lock\n', ''),
      '7: KEYS[1] is bound, but the header declares no key. Fix: add "KEYS  <name>  <type>  <description>", or remove the binding.',
    ],
    [
      'an ARGV line is removed',
      changed('  ARGV  ttlMs  integer  lease in milliseconds\n', ''),
      '9: ARGV[2] is bound, but the header declares only 1 argument. Fix: add "ARGV  <name>  <type>  <description>", or remove the binding.',
    ],
    [
      'a key is declared but not bound',
      changed('local lock = KEYS[1]\n', '', changed("'SET', lock", "'SET', token")),
      '3: KEYS lock is declared but not bound. Fix: write "local lock = KEYS[1]" at the top.',
    ],
    [
      'an argument is declared but not bound',
      changed('local ttlMs = tonumber(ARGV[2])\n', '', changed(', ttlMs,', ', 5,')),
      '5: ARGV ttlMs is declared but not bound. Fix: write "local ttlMs = tonumber(ARGV[2])" at the top.',
    ],
    [
      'a name differs',
      changed('  KEYS  lock ', '  KEYS  door '),
      '8: KEYS[1] is bound as "lock", but the header calls it "door". Fix: write "local door = KEYS[1]", or correct the header.',
    ],
    [
      'an integer is bound as it came',
      changed('tonumber(ARGV[2])', 'ARGV[2]'),
      '10: ARGV ttlMs is declared integer, but bound as it came. Fix: write "local ttlMs = tonumber(ARGV[2])", or correct the header.',
    ],
    [
      'a string is bound as a number',
      changed('= ARGV[1]', '= tonumber(ARGV[1])'),
      '9: ARGV token is declared string, but bound as a number. Fix: write "local token = ARGV[1]", or correct the header.',
    ],
    [
      'a place is bound twice',
      changed('local token', 'local again = KEYS[1]\nlocal token', changed('return 0', 'return again')),
      '9: KEYS[1] is bound a second time. Fix: use "lock".',
    ],
    [
      'a key is bound but not used',
      changed("'SET', lock", "'SET', token"),
      '8: KEYS lock is bound but never used. Fix: use or remove it.',
    ],
    [
      'a bound name gets another value',
      changed('return 0', 'lock = token\nreturn 0'),
      '12: "lock" is given another value. Fix: use another name.',
    ],
    [
      'a bound name is declared anew',
      changed('return 0', 'for lock = 1, 2 do redis.log(lock) end\nreturn 0'),
      '12: "lock" is given another value. Fix: use another name.',
    ],
    [
      'a key is read away from the top',
      changed('return 0', "return redis.call('DEL', KEYS[1])"),
      '12: KEYS[1] is read away from the top. Fix: bind it once at the top, and use the name.',
    ],
    [
      'an undeclared place is used',
      changed('return 0', 'return ARGV[3]'),
      '12: ARGV[3] is read away from the top. Fix: bind it once at the top, and use the name.',
    ],
    [
      'ARGV is read by a computed place without a tail',
      changed('return 0', 'for i = 1, 2 do redis.log(ARGV[i]) end\nreturn 0'),
      '12: ARGV is read as a whole, but the header declares no tail. Fix: declare "ARGV  name...  <type>".',
    ],
    [
      'KEYS is handed on',
      changed('return 0', 'local all = KEYS\nreturn #all'),
      '12: KEYS is read as a whole, but the header declares no tail. Fix: declare "KEYS  name...  <type>".',
    ],
    [
      'the script can end without the declared reply',
      changed('return 0\n', ''),
      '6: the script can end without the declared REPLY. Fix: end every branch in "return", or declare "<type> | nil".',
    ],
  ])('when %s', (_, text, complaint) => {
    expect(complaintsAbout(text)).toContain(complaint);
  });
});

describe('a tail that the body misreads fails the build', () => {
  const unshown = 'cannot be shown to stay within the tail "numbers..."';
  it.each([
    ['is not used', '', '5: ARGV numbers... is declared but not used'],
    ['is read before its place', 'for i = 1, #ARGV do redis.log(ARGV[i]) end', `11: ARGV[...] ${unshown}`],
    ['is read backwards', 'for i = 9, 2, -1 do redis.log(ARGV[i]) end', `11: ARGV[...] ${unshown}`],
    ['is read at a place of unknown origin', 'local i = 2\nredis.log(ARGV[i])', `12: ARGV[...] ${unshown}`],
    [
      'is unpacked from elsewhere',
      'redis.log(unpack(ARGV))',
      '11: ARGV is read in a way that the header cannot vouch for',
    ],
    ['is handed on', 'redis.log(ARGV)', '11: ARGV is read in a way that the header cannot vouch for'],
  ])('when it %s', (_, code, complaint) => {
    expect(complaintsAbout(TAIL + code)).toEqual([expect.stringContaining(complaint)]);
  });

  it('when one of its places is bound', () => {
    const text = changed('local label', 'local first = ARGV[2]\nlocal label', TAIL) + 'redis.log(first, #ARGV)';
    expect(complaintsAbout(text)).toEqual([
      '9: ARGV[2] is bound, but it belongs to the tail "numbers...". Fix: read it in a loop, or with unpack(ARGV, 2).',
    ]);
  });

  it.each([
    [
      'the step of its loop is not its size',
      'for i = 2, #ARGV do redis.log(ARGV[i]) end',
      'takes 1 at a time. Fix: step by 2',
    ],
    [
      'a place is beyond its size',
      'for i = 2, #ARGV, 2 do redis.log(ARGV[i + 2]) end',
      'cannot be shown to stay within',
    ],
  ])('of tuples, when %s', (_, code, complaint) => {
    expect(complaintsAbout(PAIRS + code)).toEqual([expect.stringContaining(complaint)]);
  });
});

describe('a header that says too little, or nonsense, fails the build', () => {
  it.each([
    [
      'there is none',
      BODY,
      '1: the script does not begin with a header. Fix: open the file with a --[[ ... ]] comment.',
    ],
    ['the summary is missing', changed('  Take the lock when it is free.\n', ''), '1: the header has no summary'],
    ['REPLY is missing', changed('  REPLY integer  1 when taken, 0 when held\n', ''), '1: the header has no REPLY'],
    ['REPLY is there twice', changed(']]', '  REPLY nil\n]]'), '7: a second REPLY'],
    ['REPLY is of an unknown type', changed('REPLY integer', 'REPLY number'), '6: REPLY: "number" is not a reply type'],
    ['REPLY has no description', changed('  1 when taken, 0 when held', ''), '6: REPLY has no description'],
    [
      'a key has an unknown type',
      changed('lock   string', 'lock   text'),
      '3: "text" is not a type of KEYS. Fix: use one of string, hash',
    ],
    [
      'an argument has an unknown type',
      changed('token  string', 'token  number'),
      '4: "number" is not a type of ARGV. Fix: use one of string, bytes, integer',
    ],
    ['a name is used twice', changed('ARGV  token', 'ARGV  lock'), '4: "lock" is declared twice'],
    ['a name is no name', changed('ARGV  token', 'ARGV  owner-token'), '4: "owner-token" is not a name'],
    ['a name is a word of Lua', changed('ARGV  token', 'ARGV  end'), '4: "end" means something in Lua already'],
    ['a name hides a library', changed('ARGV  token', 'ARGV  string'), '4: "string" means something in Lua already'],
    ['a key has no type', changed('lock   string   the lock', 'lock'), '3: KEYS needs a name and a type'],
    ['a key has no description', changed('string   the lock', 'string'), '3: KEYS lock has no description'],
    [
      'a word is misspelt',
      changed('  KEYS  lock', '  KEY  lock'),
      '3: "KEY" is not a header word. Fix: write KEYS, ARGV or REPLY',
    ],
    ['the order is wrong', changed(']]', '  KEYS  more  any  more\n]]'), '7: KEYS after REPLY'],
    ['text follows a declaration', changed(']]', '  And that is all.\n]]'), '7: text after the first declaration'],
    ['a tail is not last', changed('ARGV  token', 'ARGV  token...'), '4: the tail ARGV token... is not last'],
    [
      'tuples are no tail',
      changed('integer  lease', '(integer, string)  lease'),
      '5: only a tail of ARGV can be made of tuples',
    ],
  ])('when %s', (_, text, complaint) => {
    expect(complaintsAbout(text)).toContainEqual(expect.stringMatching(new RegExp(`^${escapeRegExp(complaint)}`)));
  });

  it('reads a description over several lines when they are indented', () => {
    const { script, problems } = readScript({
      feature: 'a',
      verb: 'b',
      text: changed('string   the lock', 'string   the lock\n     of the door'),
    });
    expect(problems).toEqual([]);
    expect(script.header.keys).toEqual([expect.objectContaining({ description: 'the lock of the door' })]);
  });
});

describe('a script that does what no script here may fails the build', () => {
  it.each([
    ["redis.call('KEYS', '*')", 'the command KEYS must not be used. Fix: it walks the whole keyspace'],
    ["redis.pcall('keys', '*')", 'the command KEYS must not be used'],
    ["redis.call 'FLUSHALL'", 'the command FLUSHALL must not be used'],
    ['redis.call(token, lock)', 'the command is not written out'],
    ['local call = redis.call', '"redis.call" is used as a value'],
    ['local r = redis', '"redis" is used as a value'],
    ['redis.log(math.random())', '"math.random" must not be used. Fix: pass randomness in ARGV'],
    ['math.randomseed(1)', '"math.randomseed" must not be used'],
    ['redis.log(os.clock())', '"os" must not be used. Fix: take the time from redis.call("TIME")'],
    ["io.write('x')", '"io" must not be used'],
    ['redis.log(tostring(1))', '"tostring" must not be used. Fix: write string.format("%.0f", n)'],
    ["redis.log(_G['KEYS'])", '"_G" must not be used'],
    ["loadstring('x')()", '"loadstring" must not be used'],
    ['count = 1', '"count" becomes a global. Fix: write "local" before it'],
    ['function count() end', '"count" becomes a global'],
    ['redis.log(ttlms)', '"ttlms" is not defined. Fix: declare it, or correct the spelling'],
    [
      "redis.log(redis.error_reply('NOSCRIPT gone').err)",
      'the error NOSCRIPT belongs to the server. Fix: choose another',
    ],
    ["redis.call('INCR', lock .. ':fence')", 'a key is made from another key. Fix: declare it in KEYS'],
  ])('%s', (code, complaint) => {
    expect(complaintsAbout(HEADER + BINDINGS + code + '\n' + BODY)).toEqual([
      expect.stringContaining(`11: ${complaint}`),
    ]);
  });

  it.each([
    ['if token then', "14: not valid Lua 5.1: 'end' expected near '<eof>'"],
    ['goto done', '11: not valid Lua 5.1'],
    ["local x = 'open", '11: not valid Lua 5.1'],
  ])('"%s" is not Lua 5.1', (code, complaint) => {
    expect(complaintsAbout(HEADER + BINDINGS + code + '\n' + BODY)).toEqual([expect.stringContaining(complaint)]);
  });
});

it('reports a file that is no Lua from its first character on', () => {
  expect(complaintsAbout('!')).toContainEqual(expect.stringContaining("1: not valid Lua 5.1: unexpected symbol '!'"));
});

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
