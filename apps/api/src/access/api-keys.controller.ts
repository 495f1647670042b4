import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { identifier } from '../app/identifier.js';
import { pageOf, pageQuery } from '../app/paging.js';
import { RequireScope } from './access.decorators.js';
import { apiKeySchema, type CreateApiKey, createApiKeySchema, createdApiKeySchema } from './api-key.js';
import { ApiKeyService } from './api-key.service.js';

const query = pageQuery(50, 200);
@ApiTags('API keys')
@RequireScope('admin')
@Controller('api-keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeyService) {}

  @Post()
  @ApiOperation({ summary: 'Make an API key; the answer is the only place that shows it' })
  @ApiResponse({ status: 201, standardSchema: createdApiKeySchema })
  create(@Body({ schema: createApiKeySchema }) body: CreateApiKey) {
    return this.apiKeys.create(body);
  }

  @Get()
  @ApiOperation({ summary: 'List the API keys, oldest first' })
  @ApiResponse({ status: 200, standardSchema: pageOf(apiKeySchema) })
  list(@Query({ schema: query }) page: z.output<typeof query>) {
    return this.apiKeys.list(page);
  }

  @Put(':apiKeyId/workspaces/:workspaceId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Let an API key see a workspace' })
  @ApiResponse({ status: 204, description: 'Granted' })
  grant(
    @Param('apiKeyId', { schema: identifier }) apiKeyId: string,
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
  ) {
    return this.apiKeys.grant(apiKeyId, workspaceId);
  }

  @Delete(':apiKeyId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key at once' })
  @ApiResponse({ status: 204, description: 'Revoked' })
  revoke(@Param('apiKeyId', { schema: identifier }) apiKeyId: string) {
    return this.apiKeys.revoke(apiKeyId);
  }
}
