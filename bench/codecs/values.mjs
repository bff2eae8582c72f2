/** The values that are measured: always the same ones, from a fixed seed. */

let state = 42;
const random = () => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state / 0x7fffffff;
};
const integer = (below) => Math.floor(random() * below);
const word = () => String.fromCharCode(...Array.from({ length: 3 + integer(7) }, () => 97 + integer(26)));
const words = (count) => Array.from({ length: count }, word);

const product = (id) => ({
  id,
  name: words(2).join(' '),
  brand: word(),
  category: word(),
  priceCents: integer(100_000),
  inStock: random() > 0.5,
  rating: integer(50) / 10,
  tags: words(3),
  description: words(6).join(' '),
});

const stocked = (id) => ({
  ...product(id),
  createdAt: new Date(1_700_000_000_000 + id),
  stock: new Map([
    ['berlin', id],
    ['paris', 9],
  ]),
});

const list = (length, item) => ({ total: 812, page: 1, items: Array.from({ length }, (_, id) => item(id)) });

export const values = {
  '200 B': product(1),
  '10 KB': list(46, product),
  '10 KB with dates and maps': list(38, stocked),
};

class Point {
  x = 1;
}
const repeated = { a: 1 };
const loop = {};
loop.self = loop;

/** What a codec may keep, alter or refuse. */
export const cases = {
  'Date, Set, undefined, NaN': [new Date(5), new Set([1]), { a: undefined }, NaN],
  'Map with object keys': new Map([[{ a: 1 }, [2]]]),
  'invalid Date': new Date(NaN),
  'bigint of 1,000 bits': 2n ** 1_000n,
  'Buffer stays Buffer': { bytes: Buffer.from('x') },
  'Uint8Array stays Uint8Array': { bytes: Uint8Array.of(1) },
  '-0': [-0],
  'half a surrogate pair': '\uD800',
  'own property __proto__': JSON.parse('{"__proto__":{"x":1},"a":1}'),
  'null prototype': Object.assign(Object.create(null), { a: 1 }),
  'one object twice': [repeated, repeated],
  cycle: loop,
  'class instance': new Point(),
  'function inside': { call() {} },
  'symbol key': { [Symbol('s')]: 1 },
  'subclass of Map': new (class Dictionary extends Map {})(),
};
