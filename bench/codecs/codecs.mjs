import v8 from 'node:v8';

// Native addons are not there on every machine: what is measured has to be what everybody gets.
process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED = 'true';
process.env.CBOR_NATIVE_ACCELERATION_DISABLED = 'true';

// The two files alone: with all of rookery loaded, msgpackr and cbor-x encode at a third of their speed, which would flatter us.
const { jsonCodec } = await import('../../dist/core/codec/json.codec.js');
const { structuredCodec } = await import('../../dist/core/codec/structured.codec.js');
const { Encoder } = await import('cbor-x');
const devalue = await import('devalue');
const { Packr } = await import('msgpackr');
const seroval = await import('seroval');
const { default: superjson } = await import('superjson');

// Both without state between messages: a payload has to be readable by a process that has seen no other.
const packr = new Packr({ useRecords: true, moreTypes: true });
const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, structuredClone: true, tagUint8Array: true });

/** Name to encode and decode, each from and to what a Redis client takes and gives. */
export const codecs = {
  'JSON alone': { encode: JSON.stringify, decode: (bytes) => JSON.parse(bytes.toString()) },
  'rookery json': jsonCodec,
  'rookery structured': structuredCodec,
  'node:v8': { encode: (value) => v8.serialize(value), decode: (bytes) => v8.deserialize(bytes) },
  msgpackr: { encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) },
  'cbor-x': { encode: (value) => cbor.encode(value), decode: (bytes) => cbor.decode(bytes) },
  devalue: { encode: devalue.stringify, decode: (bytes) => devalue.parse(bytes.toString()) },
  superjson: { encode: (value) => superjson.stringify(value), decode: (bytes) => superjson.parse(bytes.toString()) },
  seroval: {
    encode: (value) => JSON.stringify(seroval.toJSON(value)),
    decode: (bytes) => seroval.fromJSON(JSON.parse(bytes.toString())),
  },
};
