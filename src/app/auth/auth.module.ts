import { Module } from '@nestjs/common';
import { AccountController } from './account.controller.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { Passwords } from './passwords.js';
import { UserRepository } from './user.repository.js';

/** Who can log in, and how. */
@Module({
  controllers: [AuthController, AccountController],
  providers: [AuthService, Passwords, UserRepository],
})
export class AuthModule {}
