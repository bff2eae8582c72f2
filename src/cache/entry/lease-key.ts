/** Where the lease of an entry's refresh lies: beside the entry, in the same slot, as `KeySpace` builds the key of a part. */
export function refreshLeaseKey(entry: string): string {
  return `${entry}:refresh`;
}

/** Where it says who is writing the source of an entry. */
export function writeFenceKey(entry: string): string {
  return `${entry}:writing`;
}
