import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { Decimal } from '../../validation/decimal.decorator.js';
import { MAX_USER_ID } from '../../user-settings/user-settings.js';

export class UserIdParams {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_USER_ID, example: 1 })
  @Max(MAX_USER_ID)
  @Min(1)
  @IsInt()
  @Decimal()
  readonly userId!: number;
}
