import { Controller, Delete, Get, Header, HttpCode, HttpStatus, Param, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ipKey, RateLimiter } from 'rookery/throttler';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { AdminTokenGuard } from './admin-token.guard.js';
import { ApiRateLimited } from './api-rate-limited.decorator.js';
import { ClientLimitsResponse } from './dto/client-limits.response.js';
import { ClientParams } from './dto/client.params.js';
import { POLICY_NAMES } from './rate-limit-policies.js';

@ApiTags('Admin')
@ApiBearerAuth()
@ApiProblem(400, 'This is no address')
@ApiProblem(401, 'This needs the admin token')
@ApiProblem(403, 'The service has no admin token')
@ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again')
@ApiRateLimited()
@UseGuards(AdminTokenGuard)
@Controller('admin/rate-limits/:client')
export class RateLimitsController {
  constructor(private readonly limiter: RateLimiter) {}

  @ApiOperation({ summary: 'How much a client may still ask for', description: 'Looking counts for nothing.' })
  @ApiOkResponse({ type: ClientLimitsResponse })
  @Header('cache-control', 'no-store')
  @Get()
  async peek(@Param() { client }: ClientParams): Promise<ClientLimitsResponse> {
    return new ClientLimitsResponse(await this.limiter.peek(POLICY_NAMES, ipKey(client)));
  }

  @ApiOperation({ summary: 'Forgive a client', description: 'Everything that was counted for it is forgotten.' })
  @ApiNoContentResponse({ description: 'It has all of its limits again, in every process of the service' })
  @HttpCode(HttpStatus.NO_CONTENT)
  @Delete()
  async reset(@Param() { client }: ClientParams): Promise<void> {
    const key = ipKey(client);
    await Promise.all([this.limiter.reset(POLICY_NAMES, key), this.limiter.unblock(key)]);
  }
}
