import keySlot from 'cluster-key-slot';

/** As many parts as a byte has values; each has as many slots of the cluster. */
const PARTS = 256;
const SLOTS = 16_384;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

interface SlotTags {
  readonly list: readonly string[];
  readonly known: ReadonlySet<string>;
}

let tags: SlotTags | undefined;

/**
 * The hash tag of sessions for a byte: one of 256 words of two letters whose slots lie evenly over a cluster, so that no node has more of them than its share of slots.
 * Always the same.
 */
export function slotTagAt(byte: number): string {
  return slotTags().list[byte] as string;
}

/** Whether there is such a hash tag. */
export function isSlotTag(text: string): boolean {
  return slotTags().known.has(text);
}

/** All of them. */
export function allSlotTags(): readonly string[] {
  return slotTags().list;
}

function slotTags(): SlotTags {
  if (tags === undefined) {
    const list = findTags();
    tags = { list, known: new Set(list) };
  }
  return tags;
}

function findTags(): string[] {
  const found: (string | undefined)[] = Array.from({ length: PARTS });
  for (const first of LETTERS) {
    for (const second of LETTERS + DIGITS) {
      const part = Math.floor((keySlot(first + second) * PARTS) / SLOTS);
      found[part] ??= first + second;
    }
  }
  return found as string[];
}
