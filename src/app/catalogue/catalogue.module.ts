import { Module } from '@nestjs/common';
import { CacheModule } from 'rookery/cache';
import { PRODUCTS } from './catalogue.cache.js';
import { CatalogueService } from './catalogue.service.js';
import { ProductRepository } from './product.repository.js';
import { ProductsController } from './products.controller.js';

/** The products of the shop and their cache. */
@Module({
  imports: [CacheModule.forFeature(PRODUCTS)],
  controllers: [ProductsController],
  providers: [CatalogueService, ProductRepository],
  exports: [CatalogueService],
})
export class CatalogueModule {}
