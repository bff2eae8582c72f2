import { Body, Controller, Get, Header, Put, UseGuards, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CacheStatusInterceptor } from 'rookery/cache';
import { Session, SessionGuard } from 'rookery/session';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { ApiLoggedIn } from '../sessions/api-logged-in.decorator.js';
import type { ShopSession } from '../sessions/shop-session.js';
import { UpdateUserSettingsBody } from './dto/update-user-settings.body.js';
import { UserSettingsResponse } from './dto/user-settings.response.js';
import { UserSettingsService } from './user-settings.service.js';

@ApiTags('Account')
@ApiLoggedIn()
@ApiRateLimited()
@UseGuards(SessionGuard)
@Controller('account/settings')
export class AccountSettingsController {
  constructor(private readonly settings: UserSettingsService) {}

  @ApiOperation({ summary: 'My settings', description: 'The defaults, when none were ever saved.' })
  @ApiOkResponse({
    type: UserSettingsResponse,
    headers: { 'x-cache': { description: 'Where they came from', schema: { type: 'string', enum: ['hit', 'miss'] } } },
  })
  @UseInterceptors(CacheStatusInterceptor)
  // A person's own: nothing on the way may keep them.
  @Header('cache-control', 'no-store')
  @Get()
  async find(@Session() session: ShopSession): Promise<UserSettingsResponse> {
    return this.settings.find(Number(session.userId));
  }

  @ApiOperation({ summary: 'Save my settings', description: 'All of them at once; the next reader is given these.' })
  @ApiOkResponse({ type: UserSettingsResponse })
  @ApiProblem(400, 'A field of the body cannot be used; `errors` names it')
  @Header('cache-control', 'no-store')
  @Put()
  async save(@Session() session: ShopSession, @Body() settings: UpdateUserSettingsBody): Promise<UserSettingsResponse> {
    return this.settings.save(Number(session.userId), settings);
  }
}
