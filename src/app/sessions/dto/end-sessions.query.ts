import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

export class EndSessionsQuery {
  @ApiPropertyOptional({ enum: ['this'], description: 'Stays logged in here' })
  @IsOptional()
  @IsIn(['this'])
  readonly except?: 'this';
}
