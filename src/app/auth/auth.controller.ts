import {
  Body,
  ConflictException,
  Controller,
  Header,
  HttpCode,
  HttpStatus,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Session } from 'rookery/session';
import { RateLimit } from 'rookery/throttler';
import { ApiSameSite } from '../sessions/api-same-site.decorator.js';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import type { ShopSession } from '../sessions/shop-session.js';
import { EmailTakenError } from './auth.errors.js';
import { AuthService } from './auth.service.js';
import { LoginBody } from './dto/login.body.js';
import { RegisterBody } from './dto/register.body.js';
import { UserResponse } from './dto/user.response.js';

@ApiTags('Users')
@ApiProblem(400, 'A field of the body cannot be used; `errors` names it')
@ApiRateLimited()
@RateLimit('login')
@Controller('auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @ApiOperation({ summary: 'Register', description: 'Counted as a try to log in.' })
  @ApiCreatedResponse({ type: UserResponse })
  @ApiProblem(409, 'Somebody is registered with this address already')
  @ApiSameSite()
  @Header('cache-control', 'no-store')
  @Post('register')
  async register(@Body() registration: RegisterBody): Promise<UserResponse> {
    try {
      return await this.auth.register(registration);
    } catch (error) {
      throw error instanceof EmailTakenError ? new ConflictException(error.message, { cause: error }) : error;
    }
  }

  @ApiOperation({
    summary: 'Log in',
    description:
      'Sets a cookie that lasts for 12 hours, and for half an hour without use. Whoever is logged in in ten places already is logged out in the oldest.',
  })
  @ApiOkResponse({ type: UserResponse })
  @ApiProblem(401, 'The address or the password is wrong')
  @ApiSameSite()
  @ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again')
  @RateLimit('account')
  @Header('cache-control', 'no-store')
  @HttpCode(HttpStatus.OK)
  @Post('login')
  async logIn(@Session() session: ShopSession, @Body() credentials: LoginBody): Promise<UserResponse> {
    const login = await this.auth.logIn(credentials);
    if (login === null) throw new UnauthorizedException('The address or the password is wrong');
    const { user } = login;
    await session.set('name', user.name).logIn(user.id);
    if (await this.auth.isCurrent(login)) return user;
    await session.destroy();
    throw new UnauthorizedException('The password has just been changed');
  }
}
