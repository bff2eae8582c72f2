import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { CURRENCIES, type Currency, type Language, LANGUAGES, type UserSettingsChange } from '../user-settings.js';

/** Everything that a user may choose, all of it at once. */
export class UpdateUserSettingsBody implements UserSettingsChange {
  @ApiProperty({ enum: LANGUAGES, description: 'BCP 47', example: 'en' })
  @IsIn(LANGUAGES)
  readonly language!: Language;

  @ApiProperty({ enum: CURRENCIES, description: 'ISO 4217', example: 'EUR' })
  @IsIn(CURRENCIES)
  readonly currency!: Currency;

  @ApiProperty({ description: 'Whether the shop may send news', example: false })
  @IsBoolean()
  readonly newsletter!: boolean;
}
