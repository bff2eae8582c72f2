import { ApiProperty } from '@nestjs/swagger';
import { IsEmail } from 'class-validator';
import { IsText } from '../../validation/text.decorator.js';
import type { Registration } from '../user.js';

export class RegisterBody implements Registration {
  @ApiProperty({ example: 'ada@example.com' })
  @IsEmail()
  readonly email!: string;

  @ApiProperty({ example: 'Ada', minLength: 1, maxLength: 100 })
  @IsText(1, 100)
  readonly name!: string;

  @ApiProperty({ example: 'correct horse battery staple', minLength: 12, maxLength: 128 })
  @IsText(12, 128)
  readonly password!: string;
}
