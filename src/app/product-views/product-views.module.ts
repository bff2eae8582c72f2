import { Module } from '@nestjs/common';
import { CacheModule } from 'rookery/cache';
import { CatalogueModule } from '../catalogue/catalogue.module.js';
import { ProductViewsController } from './product-views.controller.js';
import { PRODUCT_VIEWS } from './product-views.journal.js';
import { ProductViewsRepository } from './product-views.repository.js';
import { ProductViewsService } from './product-views.service.js';
import { ProductViewsStorageModule } from './product-views-storage.module.js';

/** How often each product is looked at. */
@Module({
  imports: [
    CatalogueModule,
    ProductViewsStorageModule,
    CacheModule.forWriteBehind(PRODUCT_VIEWS, {
      imports: [ProductViewsStorageModule],
      inject: [ProductViewsRepository],
      useFactory: (repository) => ({
        flush: (batch, context) => repository.add(batch, context),
        // A flush takes milliseconds; should it ever lose its lease, its id keeps it from counting twice.
        lease: '5s',
        // Well within the time that the process has to stop. What a database that is away does not take stays in the journal.
        drainTimeout: '3s',
      }),
    }),
  ],
  controllers: [ProductViewsController],
  providers: [ProductViewsService],
})
export class ProductViewsModule {}
