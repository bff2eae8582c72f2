import { Injectable } from '@nestjs/common';
import { Cacheable, CachePut } from 'rookery/cache';
import { USER_SETTINGS } from './user-settings.cache.js';
import { UserSettingsRepository } from './user-settings.repository.js';
import { DEFAULT_SETTINGS, type UserSettings, type UserSettingsChange } from './user-settings.js';

/** Settings that are read with every page and saved now and then: write-through, so that not even the first read after a save asks the database. */
@Injectable()
export class UserSettingsService {
  constructor(private readonly settings: UserSettingsRepository) {}

  /** The user's settings, or the defaults. */
  @Cacheable({ cache: USER_SETTINGS, key: (userId: number) => userId })
  async find(userId: number): Promise<UserSettings> {
    return (await this.settings.find(userId)) ?? DEFAULT_SETTINGS;
  }

  /** First the database, then the cache: settings that could not be saved are never shown. */
  @CachePut({ cache: USER_SETTINGS, key: (userId: number) => userId })
  async save(userId: number, settings: UserSettingsChange): Promise<UserSettings> {
    return this.settings.save(userId, settings);
  }
}
