type Words = readonly [string, ...string[]];

/** A kind of goods: what is sold in it, of what, and for how much. */
export interface Category {
  readonly slug: string;
  readonly name: string;
  readonly things: Words;
  readonly qualities: Words;
  /** The cheapest and the dearest, in cents. */
  readonly priceCents: readonly [number, number];
}

export const categories: readonly [Category, ...Category[]] = [
  {
    slug: 'kitchen',
    name: 'Kitchen',
    things: ['Saucepan', 'Chopping Board', 'Kettle', 'Bread Knife', 'Mixing Bowl', 'Teapot', 'Colander', 'Pepper Mill'],
    qualities: ['Cast Iron', 'Enamel', 'Copper', 'Beechwood', 'Stainless', 'Stoneware'],
    priceCents: [690, 18_900],
  },
  {
    slug: 'lighting',
    name: 'Lighting',
    things: ['Desk Lamp', 'Floor Lamp', 'Pendant', 'Lantern', 'Wall Light', 'Reading Light'],
    qualities: ['Brass', 'Opal Glass', 'Linen', 'Matt Black', 'Paper', 'Smoked Glass'],
    priceCents: [1_990, 34_900],
  },
  {
    slug: 'bedding',
    name: 'Bedding',
    things: ['Duvet', 'Pillow', 'Blanket', 'Fitted Sheet', 'Quilt', 'Bedspread'],
    qualities: ['Cotton', 'Linen', 'Wool', 'Down', 'Flannel', 'Percale'],
    priceCents: [1_490, 27_900],
  },
  {
    slug: 'garden',
    name: 'Garden',
    things: ['Watering Can', 'Trowel', 'Planter', 'Bird Bath', 'Bench', 'Hand Fork', 'Cold Frame'],
    qualities: ['Galvanised', 'Terracotta', 'Teak', 'Slate', 'Willow', 'Ash'],
    priceCents: [790, 45_900],
  },
  {
    slug: 'stationery',
    name: 'Stationery',
    things: ['Notebook', 'Fountain Pen', 'Desk Tray', 'Letter Opener', 'Sketchbook', 'Ink Bottle', 'Pencil Case'],
    qualities: ['Clothbound', 'Leather', 'Walnut', 'Recycled', 'Dotted', 'Brass'],
    priceCents: [290, 12_900],
  },
  {
    slug: 'outdoor',
    name: 'Outdoor',
    things: ['Rucksack', 'Flask', 'Camp Stove', 'Sleeping Bag', 'Trail Jacket', 'Head Torch', 'Tent'],
    qualities: ['Waxed', 'Ultralight', 'Insulated', 'Waterproof', 'Titanium', 'Four-Season'],
    priceCents: [1_290, 59_900],
  },
  {
    slug: 'audio',
    name: 'Audio',
    things: ['Radio', 'Headphones', 'Turntable', 'Bookshelf Speaker', 'Amplifier', 'Microphone'],
    qualities: ['Portable', 'Walnut', 'Wireless', 'Studio', 'Compact', 'Valve'],
    priceCents: [2_990, 89_900],
  },
  {
    slug: 'games',
    name: 'Games',
    things: ['Chess Set', 'Jigsaw', 'Card Game', 'Backgammon Board', 'Dominoes', 'Spinning Top'],
    qualities: ['Travel', 'Maple', 'Magnetic', 'Illustrated', 'Classic', 'Oversized'],
    priceCents: [590, 14_900],
  },
];

export interface Brand {
  readonly slug: string;
  readonly name: string;
}

export const brands: readonly [Brand, ...Brand[]] = [
  { slug: 'alder-and-finch', name: 'Alder & Finch' },
  { slug: 'brightwater', name: 'Brightwater' },
  { slug: 'corvid', name: 'Corvid' },
  { slug: 'dunmore', name: 'Dunmore' },
  { slug: 'eastwold', name: 'Eastwold' },
  { slug: 'fieldfare', name: 'Fieldfare' },
  { slug: 'granary', name: 'Granary' },
  { slug: 'harrow-lane', name: 'Harrow Lane' },
  { slug: 'ironbridge', name: 'Ironbridge' },
  { slug: 'jackdaw', name: 'Jackdaw' },
  { slug: 'kestrel', name: 'Kestrel' },
  { slug: 'lapwing', name: 'Lapwing' },
];

export const colours: Words = ['Black', 'Chalk', 'Clay', 'Fern', 'Indigo', 'Mustard', 'Natural', 'Oxblood', 'Sage'];
