import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsSlug } from './slug.decorator.js';
import { IsText } from '../../validation/text.decorator.js';

const MAX_PRICE_CENTS = 100_000_000;
const MAX_STOCK = 1_000_000;
const MAX_VERSION = 2_147_483_647;

/** Everything that may be changed of a product, all of it at once. */
export class UpdateProductBody {
  @ApiProperty({ minLength: 1, maxLength: 200, example: 'Flannel Bedspread, Natural' })
  @IsText(1, 200)
  readonly name!: string;

  @ApiProperty({ description: 'The slug of a category', example: 'bedding' })
  @IsSlug()
  readonly category!: string;

  @ApiProperty({ description: 'The slug of a brand', example: 'harrow-lane' })
  @IsSlug()
  readonly brand!: string;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: MAX_PRICE_CENTS, example: 4_590 })
  @Max(MAX_PRICE_CENTS)
  @Min(0)
  @IsInt()
  readonly priceCents!: number;

  @ApiProperty({ maxLength: 5_000, example: 'Bedspread in flannel, natural, made by Harrow Lane.' })
  @IsText(0, 5_000)
  readonly description!: string;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: MAX_STOCK, example: 95 })
  @Max(MAX_STOCK)
  @Min(0)
  @IsInt()
  readonly stock!: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_VERSION,
    description: 'The version that was read. When given, a product that changed since then is not overwritten (409)',
    example: 1,
  })
  @Max(MAX_VERSION)
  @Min(1)
  @IsInt()
  @IsOptional()
  readonly version?: number;
}
