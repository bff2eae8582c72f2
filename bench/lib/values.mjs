/** A product with as much text as it takes. */
export const product = (bytes) => ({
  id: 1,
  name: 'Brass desk lamp',
  brand: 'Lumen',
  priceCents: 4_990,
  stock: 12,
  description: 'Warm light. '.repeat(1_000).slice(0, Math.max(0, bytes - 90)),
});

/** A page of small records: the same bytes, but far more to parse. */
export const page = (bytes) => {
  const record = { id: 1, sku: 'LMP-0001', name: 'Brass desk lamp', priceCents: 4_990, inStock: true };
  const length = Math.round(bytes / JSON.stringify(record).length);
  return { items: Array.from({ length }, (_, i) => ({ ...record, id: i })) };
};

/** What the entries of a claim are tagged with. */
export const TAGS = ['category:lamps', 'brand:lumen', 'season:winter'];

/** A name as it stands in keys: no contender has anything to escape in it. */
export const slug = (name) => name.replace(/\W+/g, '-');
