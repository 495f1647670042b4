import { Body, Controller, Get, HttpCode, Param, Post, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { PROFILE_EXTENSIONS, Profiler } from '@peregrine/metrics';
import { AuditTrail, type Caller } from '@peregrine/runtime';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { CurrentCaller, RequireScope } from '../access/access.decorators.js';
import { ApiKeyService } from '../access/api-key.service.js';
import { problemSchema } from '../problem/problem.js';
import { describeProfile, PROFILE_TASK } from './profile-answers.js';
import {
  type ProfileAnswer,
  profileSchema,
  profilesSchema,
  type StartProfileBody,
  startProfileSchema,
} from './profile.schemas.js';

/** CPU and heap profiles of the process that answers; those of others that share its folder are listed with them. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('admin/profiles')
export class ProfilesController {
  constructor(
    private readonly profiler: Profiler,
    private readonly audit: AuditTrail,
    private readonly apiKeys: ApiKeyService,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Take a profile of this process',
    description:
      'One at a time, and one in ten seconds at most. The oldest make room. Open the file in the developer tools of a browser.',
  })
  @ApiResponse({ status: 202, standardSchema: profileSchema })
  @ApiResponse({
    status: 409,
    description: 'Another one is being taken, or there is no room for a snapshot',
    standardSchema: problemSchema,
  })
  @ApiResponse({ status: 429, description: 'Too soon; see Retry-After', standardSchema: problemSchema })
  async start(
    @Body({ schema: startProfileSchema }) body: StartProfileBody,
    @CurrentCaller() { apiKeyId }: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProfileAnswer> {
    const actor = { id: apiKeyId, name: await this.apiKeys.nameOf(apiKeyId) };
    const profile = this.profiler.start(body);
    const answer = describeProfile(profile);
    await this.audit.add({
      actor,
      action: 'profile.take',
      subject: `profile/${body.kind}`,
      event: 'requested',
      task: { name: PROFILE_TASK, id: profile.id },
      requestId: request.id,
      detail: body.kind === 'snapshot' ? null : `${body.seconds} s`,
    });
    void reply.header('Location', answer.url);
    return answer;
  }

  @Get()
  @ApiOperation({ summary: 'List the profiles that are kept, the newest first' })
  @ApiResponse({ status: 200, standardSchema: profilesSchema })
  async list(): Promise<{ items: ProfileAnswer[] }> {
    return { items: (await this.profiler.list()).map(describeProfile) };
  }

  @Get(':profileId')
  @ApiOperation({ summary: 'Look at a profile' })
  @ApiResponse({ status: 200, standardSchema: profileSchema })
  async find(@Param('profileId') id: string): Promise<ProfileAnswer> {
    return describeProfile(await this.profiler.find(id));
  }

  @Get(':profileId/content')
  @ApiOperation({ summary: 'Download a profile' })
  @ApiProduces('application/json')
  @ApiResponse({ status: 200, description: 'For the developer tools of a browser' })
  async content(
    @Param('profileId') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { profile, content } = await this.profiler.read(id);
    void reply.header('Cache-Control', 'no-store');
    return new StreamableFile(content, {
      type: 'application/json',
      disposition: `attachment; filename="${profile.id}.${PROFILE_EXTENSIONS[profile.kind]}"`,
      length: profile.sizeBytes,
    });
  }
}
