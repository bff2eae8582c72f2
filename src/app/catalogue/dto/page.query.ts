import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { Decimal } from '../../validation/decimal.decorator.js';

/** Far beyond any list of the shop, and small enough for Postgres to skip to. */
const MAX_PAGE = 1_000_000;
const MAX_PAGE_SIZE = 100;

/** Which part of a list. */
export class PageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 1 })
  @Max(MAX_PAGE)
  @Min(1)
  @IsInt()
  @Decimal()
  readonly page: number = 1;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: 24 })
  @Max(MAX_PAGE_SIZE)
  @Min(1)
  @IsInt()
  @Decimal()
  readonly pageSize: number = 24;
}
