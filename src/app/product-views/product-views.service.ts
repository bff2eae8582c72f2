import { Injectable } from '@nestjs/common';
import { InjectWriteBehind, type WriteBehind } from 'rookery/cache';
import { CatalogueService } from '../catalogue/catalogue.service.js';
import { PRODUCT_VIEWS } from './product-views.journal.js';
import { ProductViewsRepository } from './product-views.repository.js';

/**
 * Counts views: write-behind, since there are far more of them than the database should be asked to write. They are journalled in Redis, and
 * reach the database once a second, those of a product together.
 */
@Injectable()
export class ProductViewsService {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly repository: ProductViewsRepository,
    @InjectWriteBehind(PRODUCT_VIEWS) private readonly journal: WriteBehind<number, number>,
  ) {}

  /**
   * Counts one view; false when there is no such product. A view for which this resolves is counted exactly once, also when the process is
   * killed right after.
   *
   * Rejects with `RedisUnavailableError` when Redis is away: then it is not known to be counted.
   */
  async record(productId: number): Promise<boolean> {
    if ((await this.catalogue.find(productId)) === null) {
      return false;
    }
    await this.journal.write(productId, 1);
    return true;
  }

  /**
   * How often the product was looked at; null when there is no such product. Never less than what was recorded: in the moment in which a batch
   * is in the database and the journal does not know yet, it is counted twice.
   *
   * Rejects with `RedisUnavailableError` when Redis is away.
   */
  async count(productId: number): Promise<number | null> {
    if ((await this.catalogue.find(productId)) === null) {
      return null;
    }
    // In this order: what leaves the journal between the two is in the database then.
    const pending = await this.journal.pending(productId);
    return (await this.repository.find(productId)) + (pending ?? 0);
  }
}
