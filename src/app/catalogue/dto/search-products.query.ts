import { ApiProperty } from '@nestjs/swagger';
import { PageQuery } from './page.query.js';
import { IsText } from '../../validation/text.decorator.js';

export class SearchProductsQuery extends PageQuery {
  @ApiProperty({
    description: 'Words, "a phrase", `or`, and `-` before what is not wanted',
    example: 'flannel bedspread -grey',
    minLength: 1,
    maxLength: 200,
  })
  @IsText(1, 200)
  readonly q!: string;
}
