/** The product was changed by somebody else since the editor read it. Nothing was written. */
export class StaleProductError extends Error {
  override readonly name = 'StaleProductError';

  constructor(readonly currentVersion: number) {
    super(`The product was changed meanwhile: it is at version ${currentVersion}`);
  }
}

/** A change names a category or a brand that the shop does not have. Nothing was written. */
export class UnknownReferenceError extends Error {
  override readonly name = 'UnknownReferenceError';

  constructor(readonly field: 'category' | 'brand') {
    super(`There is no such ${field}`);
  }
}
