import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { Decimal } from '../../validation/decimal.decorator.js';
import { MAX_PRODUCT_ID } from '../product.js';

export class ProductIdParams {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_PRODUCT_ID, example: 1 })
  @Max(MAX_PRODUCT_ID)
  @Min(1)
  @IsInt()
  @Decimal()
  readonly id!: number;
}
