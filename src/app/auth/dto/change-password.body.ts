import { ApiProperty } from '@nestjs/swagger';
import { IsText } from '../../validation/text.decorator.js';

export class ChangePasswordBody {
  @ApiProperty({ example: 'correct horse battery staple' })
  @IsText(1, 128)
  readonly password!: string;

  @ApiProperty({ example: 'incorrect donkey charger clip', minLength: 12, maxLength: 128 })
  @IsText(12, 128)
  readonly newPassword!: string;
}
