import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  HttpStatus,
  NotFoundException,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PassiveSession, RecentLogin, Session, SessionGuard, SessionService } from 'rookery/session';
import { ApiSameSite } from './api-same-site.decorator.js';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { ApiLoggedIn } from './api-logged-in.decorator.js';
import { DeviceParams } from './dto/device.params.js';
import { DeviceResponse } from './dto/device.response.js';
import { EndSessionsQuery } from './dto/end-sessions.query.js';
import { EndedSessionsResponse } from './dto/ended-sessions.response.js';
import { SessionResponse } from './dto/session.response.js';
import type { ShopSession } from './shop-session.js';

@ApiTags('Sessions')
@ApiRateLimited()
@Controller('auth')
export class SessionsController {
  constructor(private readonly sessions: SessionService) {}

  @ApiOperation({ summary: 'Log out', description: 'Whoever is not logged in stays so.' })
  @ApiNoContentResponse({ description: 'The cookie is good for nothing any more, wherever it was copied to' })
  @ApiSameSite()
  @ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Post('logout')
  async logOut(@Session() session: ShopSession): Promise<void> {
    await session.destroy();
  }

  @ApiOperation({
    summary: 'Who is logged in',
    description: 'For pages that ask now and then: it does not keep anybody logged in.',
  })
  @ApiOkResponse({ type: SessionResponse })
  @ApiLoggedIn()
  @UseGuards(SessionGuard)
  @PassiveSession()
  @Header('cache-control', 'no-store')
  @Get('session')
  session(@Session() session: ShopSession): SessionResponse {
    return {
      userId: Number(session.userId),
      name: session.get('name') ?? '',
      loggedInAt: new Date(session.createdAtMs ?? 0).toISOString(),
      endsAt: new Date(session.deadlineMs ?? 0).toISOString(),
    };
  }

  @ApiOperation({ summary: 'Where I am logged in' })
  @ApiOkResponse({ type: [DeviceResponse] })
  @ApiLoggedIn()
  @UseGuards(SessionGuard)
  @Header('cache-control', 'no-store')
  @Get('sessions')
  async devices(@Session() session: ShopSession): Promise<DeviceResponse[]> {
    const all = await this.sessions.listForUser(session.userId ?? '');
    return all.map((each) => new DeviceResponse(each, session.handle));
  }

  @ApiOperation({ summary: 'Log out elsewhere', description: 'Ends one of my sessions.' })
  @ApiNoContentResponse({ description: 'It is ended' })
  @ApiProblem(400, '`id` cannot be one of a session')
  @ApiProblem(404, 'It is none of mine, or has ended already')
  @ApiLoggedIn()
  @UseGuards(SessionGuard)
  @RecentLogin('1h')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Delete('sessions/:id')
  async end(@Session() session: ShopSession, @Param() { id }: DeviceParams): Promise<void> {
    if (await this.sessions.destroyForUser(session.userId ?? '', id)) return;
    throw new NotFoundException('There is no such session');
  }

  @ApiOperation({ summary: 'Log out everywhere', description: 'Ends all of my sessions, or all others.' })
  @ApiOkResponse({ type: EndedSessionsResponse })
  @ApiProblem(400, 'A query parameter cannot be used; `errors` names it')
  @ApiLoggedIn()
  @UseGuards(SessionGuard)
  @RecentLogin('1h')
  @Delete('sessions')
  async endAll(@Session() session: ShopSession, @Query() { except }: EndSessionsQuery): Promise<EndedSessionsResponse> {
    const userId = session.userId ?? '';
    const others = await this.sessions.destroyAllForUser(userId, { except: session });
    if (except === 'this') return new EndedSessionsResponse(others);
    await session.destroy();
    return new EndedSessionsResponse(others + 1);
  }
}
