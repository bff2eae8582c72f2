import { ApiProperty } from '@nestjs/swagger';

/** How often a product was looked at. */
export class ProductViewsResponse {
  @ApiProperty({ type: 'integer', example: 1_204 })
  readonly views!: number;
}
