/** Entries of the batch have been counted one by one: to count the whole would be to count them twice. */
export class PartlyCountedError extends Error {
  override readonly name = 'PartlyCountedError';
}
