/** Fewer of a product are in store than are to be ordered. Nothing was ordered. */
export class OutOfStockError extends Error {
  override readonly name = 'OutOfStockError';

  constructor(readonly productId: number) {
    super(`There are not so many of product ${productId} in store`);
  }
}

/** A product that is to be ordered does not exist. Nothing was ordered. */
export class UnknownProductError extends Error {
  override readonly name = 'UnknownProductError';

  constructor(readonly productId: number) {
    super(`There is no product ${productId}`);
  }
}
