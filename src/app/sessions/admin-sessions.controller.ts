import { Controller, Delete, Param, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SessionService } from 'rookery/session';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { AdminTokenGuard } from '../rate-limits/admin-token.guard.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { EndedSessionsResponse } from './dto/ended-sessions.response.js';
import { UserIdParams } from './dto/user-id.params.js';

@ApiTags('Admin')
@ApiBearerAuth()
@ApiProblem(401, 'This needs the admin token')
@ApiProblem(403, 'The service has no admin token')
@ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again')
@ApiRateLimited()
@UseGuards(AdminTokenGuard)
@Controller('admin')
export class AdminSessionsController {
  constructor(private readonly sessions: SessionService) {}

  @ApiOperation({ summary: 'Log a user out everywhere', description: 'In one step, in every process of the service.' })
  @ApiOkResponse({ type: EndedSessionsResponse })
  @ApiProblem(400, 'The id is no id of a user')
  @Delete('users/:userId/sessions')
  async endOfUser(@Param() { userId }: UserIdParams): Promise<EndedSessionsResponse> {
    return new EndedSessionsResponse(await this.sessions.destroyAllForUser(userId));
  }

  @ApiOperation({ summary: 'Log everybody out', description: 'Those who log in meanwhile may stay.' })
  @ApiOkResponse({ type: EndedSessionsResponse })
  @Delete('sessions')
  async endAll(): Promise<EndedSessionsResponse> {
    return new EndedSessionsResponse(await this.sessions.destroyEverySession());
  }
}
