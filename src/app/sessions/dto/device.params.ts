import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';

export class DeviceParams {
  @ApiProperty({ example: 'q3ZvkX0mB7nT1c9yUeJ2hLwR5aF' })
  @Matches(/^[\w-]{27}$/, { message: 'id must be one that GET /auth/sessions has told' })
  readonly id!: string;
}
