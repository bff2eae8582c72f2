import { Module } from '@nestjs/common';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { Passwords } from './passwords.js';
import { UserRepository } from './user.repository.js';

/** Who can log in, and how. */
@Module({
  controllers: [AuthController],
  providers: [AuthService, Passwords, UserRepository],
})
export class AuthModule {}
