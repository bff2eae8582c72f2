import { ApiProperty } from '@nestjs/swagger';
import type { User } from '../user.js';

/** A user as the API shows one to themselves. */
export class UserResponse implements User {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly id!: number;

  @ApiProperty({ example: 'ada@example.com' })
  readonly email!: string;

  @ApiProperty({ example: 'Ada' })
  readonly name!: string;
}
