import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsInt, Max, Min, ValidateNested } from 'class-validator';
import { MAX_PRODUCT_ID } from '../../catalogue/product.js';

const MOST_LINES = 50;
const MOST_OF_A_PRODUCT = 100;

/** So many of a product. */
export class OrderLineBody {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_PRODUCT_ID, example: 1 })
  @Max(MAX_PRODUCT_ID)
  @Min(1)
  @IsInt()
  readonly productId!: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: MOST_OF_A_PRODUCT, example: 2 })
  @Max(MOST_OF_A_PRODUCT)
  @Min(1)
  @IsInt()
  readonly quantity!: number;
}

export class PlaceOrderBody {
  @ApiProperty({ type: [OrderLineBody], minItems: 1, maxItems: MOST_LINES, description: 'Each product once' })
  @ValidateNested({ each: true })
  @Type(() => OrderLineBody)
  @ArrayUnique((line: OrderLineBody | null) => line?.productId, { message: 'lines must have each product once' })
  @ArrayMaxSize(MOST_LINES)
  @ArrayMinSize(1)
  @IsArray()
  readonly lines!: readonly OrderLineBody[];
}
