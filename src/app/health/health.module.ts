import { Module } from '@nestjs/common';
import { Drain } from '../lifecycle/drain.js';
import { DatabaseHealth } from './database-health.js';
import { HealthController } from './health.controller.js';
import { RedisHealth } from './redis-health.js';

/** Tells load balancers and supervisors how the service is. */
@Module({ controllers: [HealthController], providers: [DatabaseHealth, RedisHealth, Drain], exports: [Drain] })
export class HealthModule {}
