import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DATABASE, type Database } from './database.js';

/** Gives every module the database. It is opened before the container and closed after it, by who started the service. */
@Global()
@Module({})
export class DatabaseModule {
  static register(db: Database): DynamicModule {
    return { module: DatabaseModule, providers: [{ provide: DATABASE, useValue: db }], exports: [DATABASE] };
  }
}
