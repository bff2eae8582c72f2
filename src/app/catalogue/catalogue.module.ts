import { Module } from '@nestjs/common';
import { CacheModule } from 'rookery/cache';
import { CatalogueService } from './catalogue.service.js';
import { ProductRepository } from './product.repository.js';
import { ProductsController } from './products.controller.js';

/** The products of the shop and their cache. */
@Module({
  imports: [CacheModule.forFeature({ name: 'products', ttl: '10m' })],
  controllers: [ProductsController],
  providers: [CatalogueService, ProductRepository],
})
export class CatalogueModule {}
