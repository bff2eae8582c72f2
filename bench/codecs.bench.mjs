/**
 * Claim: `structuredCodec` is the only codec of the field that keeps its types exactly and refuses the rest, and plain data is
 * decoded with it at the speed of JSON. Prints what each codec does with awkward values, then medians of interleaved rounds.
 */
import { isDeepStrictEqual } from 'node:util';
import { codecs } from './codecs/codecs.mjs';
import { cases, values } from './codecs/values.mjs';
import { readArgs } from './lib/args.mjs';
import { header } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const { rounds: ROUNDS } = readArgs({ rounds: 31 });
const ROUND_BYTES = 1_500_000;

const toBytes = (encoded) => Buffer.from(encoded);

function verdict({ encode, decode }, value) {
  let bytes;
  try {
    bytes = toBytes(encode(value));
  } catch {
    return 'refused';
  }
  try {
    return isSame(decode(bytes), value) ? 'kept' : 'ALTERED';
  } catch {
    return 'UNREADABLE';
  }
}

/** isDeepStrictEqual takes no invalid date for equal to another. */
function isSame(left, right) {
  if (right instanceof Date && Number.isNaN(right.getTime()))
    return left instanceof Date && Number.isNaN(left.getTime());
  return isDeepStrictEqual(left, right);
}

function timeUs(run, times) {
  const started = process.hrtime.bigint();
  for (let count = 0; count < times; count++) run();
  return Number(process.hrtime.bigint() - started) / times / 1_000;
}

function measure(value) {
  const times = Math.ceil(ROUND_BYTES / 4 / Buffer.byteLength(JSON.stringify(value)));
  const runs = Object.entries(codecs).map(([name, { encode, decode }]) => {
    const bytes = toBytes(encode(value));
    return { name, encode, decode, bytes, encodeUs: [], decodeUs: [] };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      run.encodeUs.push(timeUs(() => run.encode(value), times));
      run.decodeUs.push(timeUs(() => run.decode(run.bytes), times));
    }
  }
  const base = { encode: median(runs[0].encodeUs), decode: median(runs[0].decodeUs) };
  return Object.fromEntries(
    runs.map(({ name, bytes, encodeUs, decodeUs }) => [
      name,
      {
        'encode µs': median(encodeUs).toFixed(2),
        'decode µs': median(decodeUs).toFixed(2),
        'encode x JSON': (median(encodeUs) / base.encode).toFixed(2),
        'decode x JSON': (median(decodeUs) / base.decode).toFixed(2),
        bytes: bytes.length,
      },
    ]),
  );
}

header('What codecs keep, and what they cost', ['rookery', 'msgpackr', 'cbor-x', 'devalue', 'superjson', 'seroval']);
console.table(
  Object.fromEntries(
    Object.entries(cases).map(([name, value]) => [
      name,
      Object.fromEntries(Object.entries(codecs).map(([codec, use]) => [codec, verdict(use, value)])),
    ]),
  ),
);
for (const [name, value] of Object.entries(values)) {
  console.log(`\n${name}`);
  console.table(measure(value));
}
