import { Body, Controller, Delete, ForbiddenException, HttpCode, HttpStatus, Put, UseGuards } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RecentLogin, Session, SessionGuard, SessionService } from 'rookery/session';
import { RateLimit } from 'rookery/throttler';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { ApiLoggedIn } from '../sessions/api-logged-in.decorator.js';
import type { ShopSession } from '../sessions/shop-session.js';
import { AuthService } from './auth.service.js';
import { ChangePasswordBody } from './dto/change-password.body.js';

@ApiTags('Account')
@ApiLoggedIn()
@ApiRateLimited()
@RateLimit('login')
@UseGuards(SessionGuard)
@RecentLogin('1h')
@Controller('account')
export class AccountController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionService,
  ) {}

  @ApiOperation({
    summary: 'Change my password',
    description: 'All other sessions end, and this one has a new id. Counted as a try to log in.',
  })
  @ApiNoContentResponse({ description: 'It is changed' })
  @ApiProblem(400, 'A field of the body cannot be used; `errors` names it')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Put('password')
  async changePassword(
    @Session() session: ShopSession,
    @Body() { password, newPassword }: ChangePasswordBody,
  ): Promise<void> {
    const userId = Number(session.userId);
    if (!(await this.auth.changePassword(userId, password, newPassword))) {
      throw new ForbiddenException('The password is wrong');
    }
    await this.sessions.destroyAllForUser(userId, { except: session });
    await session.regenerate();
  }

  @ApiOperation({
    summary: 'Close my account',
    description: 'Orders stay, as the law has it; everything else goes, and all sessions end.',
  })
  @ApiNoContentResponse({ description: 'It is closed' })
  @HttpCode(HttpStatus.NO_CONTENT)
  @Delete()
  async close(@Session() session: ShopSession): Promise<void> {
    const userId = Number(session.userId);
    await this.auth.remove(userId);
    await this.sessions.destroyAllForUser(userId, { except: session });
    await session.destroy();
  }
}
