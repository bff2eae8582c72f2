import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { PageQuery } from './page.query.js';
import { IsSlug } from './slug.decorator.js';

export class ListProductsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'The slug of a category', example: 'kitchen' })
  @IsSlug()
  @IsOptional()
  readonly category?: string;

  @ApiPropertyOptional({ description: 'The slug of a brand', example: 'harrow-lane' })
  @IsSlug()
  @IsOptional()
  readonly brand?: string;
}
