import { ApiProperty } from '@nestjs/swagger';
import { IsEmail } from 'class-validator';
import { IsText } from '../../validation/text.decorator.js';
import type { Credentials } from '../user.js';

export class LoginBody implements Credentials {
  @ApiProperty({ example: 'ada@example.com' })
  @IsEmail()
  readonly email!: string;

  @ApiProperty({ example: 'correct horse battery staple' })
  @IsText(1, 128)
  readonly password!: string;
}
