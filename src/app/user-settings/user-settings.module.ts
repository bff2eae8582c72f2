import { Module } from '@nestjs/common';
import { CacheModule } from 'rookery/cache';
import { USER_SETTINGS } from './user-settings.cache.js';
import { AccountSettingsController } from './account-settings.controller.js';
import { UserSettingsRepository } from './user-settings.repository.js';
import { UserSettingsService } from './user-settings.service.js';

/** How each user wants the shop to be. */
@Module({
  imports: [CacheModule.forFeature(USER_SETTINGS)],
  controllers: [AccountSettingsController],
  providers: [UserSettingsService, UserSettingsRepository],
})
export class UserSettingsModule {}
