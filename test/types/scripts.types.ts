/** What must not compile. Read by `tsc` alone, which fails when a line below an expectation has no error. */
import type { ScriptRunner } from '../../src/core/scripts/script-runner.js';
import { cacheRenew } from '../../src/cache/cache.scripts.gen.js';
import {
  fixtureAppend,
  fixtureEchoBytes,
  fixtureEchoInteger,
  fixtureEchoString,
  fixtureReadAll,
  fixtureReplyNested,
  fixtureReplyNothing,
  fixtureSetFields,
} from '../support/fixture/fixture.scripts.gen.js';

export async function calls(scripts: ScriptRunner): Promise<void> {
  const entry = 'key';
  const place = 'key';
  const args = { marker: Buffer.alloc(0), leaseMs: 1 };

  const stored: number = await scripts.run(cacheRenew, { lease: entry }, args);
  const bytes: Buffer = await scripts.run(fixtureEchoBytes, { place }, { value: 'text' });
  const text: string = await scripts.run(fixtureEchoString, { place }, { value: 'text' });
  const nothing: null = await scripts.run(fixtureReplyNothing, { place }, {});
  const values: readonly (Buffer | null)[] = await scripts.run(fixtureReadAll, { entries: [entry] }, {});
  const [first, words, holes, pairs] = await scripts.run(fixtureReplyNested, { place }, {});
  const nested: [number, readonly string[], string | null | undefined, Buffer | undefined] = [
    first,
    words,
    holes[0],
    pairs[0]?.[0],
  ];
  const many: number[] = await scripts.runMany(fixtureAppend, [{ keys: { log: entry }, args: { entries: ['a'] } }]);
  void [stored, bytes, text, nothing, values, nested, many];

  // @ts-expect-error: the key is missing
  await scripts.run(cacheRenew, {}, args);
  // @ts-expect-error: the key is misspelt
  await scripts.run(cacheRenew, { leese: entry }, args);
  // @ts-expect-error: a key too many
  await scripts.run(cacheRenew, { lease: entry, other: entry }, args);
  // @ts-expect-error: a key is a string
  await scripts.run(cacheRenew, { lease: 1 }, args);
  // @ts-expect-error: an argument is missing
  await scripts.run(cacheRenew, { lease: entry }, { marker: '' });
  // @ts-expect-error: an argument too many
  await scripts.run(cacheRenew, { lease: entry }, { ...args, more: 1 });
  // @ts-expect-error: an argument where there is none
  await scripts.run(fixtureReplyNothing, { place }, { value: 1 });
  // @ts-expect-error: an integer is a number
  await scripts.run(fixtureEchoInteger, { place }, { value: '1' });
  // @ts-expect-error: a string is no Buffer
  await scripts.run(fixtureEchoString, { place }, { value: Buffer.alloc(0) });
  // @ts-expect-error: a tail is an array
  await scripts.run(fixtureReadAll, { entries: entry }, {});
  // @ts-expect-error: the types of a tuple
  await scripts.run(fixtureSetFields, { record: entry }, { prefix: '', fields: [[1, 'left']] });
  // @ts-expect-error: the size of a tuple
  await scripts.run(fixtureSetFields, { record: entry }, { prefix: '', fields: [['left', 1, 2]] });
  // @ts-expect-error: the reply is a number
  const reply: string = await scripts.run(cacheRenew, { lease: entry }, args);
  // @ts-expect-error: one of many calls lacks its key
  await scripts.runMany(fixtureAppend, [{ keys: {}, args: { entries: [] } }]);
  void reply;
}
