import { Module } from '@nestjs/common';
import { ProductViewsRepository } from './product-views.repository.js';

/** Where views end up: a module of its own, since the journal is made from it, and the rest from the journal. */
@Module({ providers: [ProductViewsRepository], exports: [ProductViewsRepository] })
export class ProductViewsStorageModule {}
