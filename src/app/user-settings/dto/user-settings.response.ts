import { ApiProperty } from '@nestjs/swagger';
import { CURRENCIES, type Currency, type Language, LANGUAGES, type UserSettings } from '../user-settings.js';

/** A user's settings as the API shows them. */
export class UserSettingsResponse implements UserSettings {
  @ApiProperty({ enum: LANGUAGES, description: 'BCP 47', example: 'en' })
  readonly language!: Language;

  @ApiProperty({ enum: CURRENCIES, description: 'ISO 4217', example: 'EUR' })
  readonly currency!: Currency;

  @ApiProperty({ description: 'Whether the shop may send news', example: false })
  readonly newsletter!: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null when none were ever saved' })
  readonly updatedAt!: string | null;
}
