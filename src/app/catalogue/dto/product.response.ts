import { ApiProperty } from '@nestjs/swagger';
import type { Product, ProductPage } from '../product.js';

/** A product as the API shows it. */
export class ProductResponse implements Product {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly id!: number;

  @ApiProperty({ example: 'BED-000001' })
  readonly sku!: string;

  @ApiProperty({ example: 'Flannel Bedspread, Natural' })
  readonly name!: string;

  @ApiProperty({ description: 'The slug of its category', example: 'bedding' })
  readonly category!: string;

  @ApiProperty({ description: 'The slug of its brand', example: 'harrow-lane' })
  readonly brand!: string;

  @ApiProperty({ type: 'integer', description: 'In cents', example: 4_590 })
  readonly priceCents!: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  readonly currency!: string;

  @ApiProperty({ example: 'Bedspread in flannel, natural, made by Harrow Lane.' })
  readonly description!: string;

  @ApiProperty({ type: 'integer', example: 95 })
  readonly stock!: number;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  readonly updatedAt!: string;

  @ApiProperty({ type: 'integer', description: 'Counts the changes, from 1', example: 1 })
  readonly version!: number;
}

/** One page of products, in the order of id; `items` is empty beyond the last page. */
export class ProductPageResponse implements ProductPage {
  @ApiProperty({ type: [ProductResponse] })
  readonly items!: readonly ProductResponse[];

  @ApiProperty({ type: 'integer', example: 1 })
  readonly page!: number;

  @ApiProperty({ type: 'integer', example: 24 })
  readonly pageSize!: number;

  @ApiProperty({ type: 'integer', description: 'Of all pages together', example: 10_000 })
  readonly total!: number;

  @ApiProperty({ type: 'integer', example: 417 })
  readonly pages!: number;
}
