import { Body, Controller, Get, Header, Param, Put, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CacheStatusInterceptor } from 'rookery/cache';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { UpdateUserSettingsBody } from './dto/update-user-settings.body.js';
import { UserIdParams } from './dto/user-id.params.js';
import { UserSettingsResponse } from './dto/user-settings.response.js';
import { UserSettingsService } from './user-settings.service.js';

const NO_SESSIONS = 'The shop has no sessions yet: whoever knows the id of a user may ask for and change the settings.';

@ApiTags('Users')
@ApiProblem(400, 'A parameter or a field of the body cannot be used; `errors` names it')
@ApiRateLimited()
@Controller('users/:userId/settings')
export class UserSettingsController {
  constructor(private readonly settings: UserSettingsService) {}

  @ApiOperation({
    summary: "A user's settings",
    description: `The defaults, when none were ever saved. ${NO_SESSIONS}`,
  })
  @ApiOkResponse({
    type: UserSettingsResponse,
    headers: { 'x-cache': { description: 'Where they came from', schema: { type: 'string', enum: ['hit', 'miss'] } } },
  })
  @UseInterceptors(CacheStatusInterceptor)
  // A person's own: nothing on the way may keep them.
  @Header('cache-control', 'no-store')
  @Get()
  async find(@Param() { userId }: UserIdParams): Promise<UserSettingsResponse> {
    return this.settings.find(userId);
  }

  @ApiOperation({
    summary: "Save a user's settings",
    description: `All of them at once; the next reader is given these. ${NO_SESSIONS}`,
  })
  @ApiOkResponse({ type: UserSettingsResponse })
  @Header('cache-control', 'no-store')
  @Put()
  async save(
    @Param() { userId }: UserIdParams,
    @Body() settings: UpdateUserSettingsBody,
  ): Promise<UserSettingsResponse> {
    return this.settings.save(userId, settings);
  }
}
