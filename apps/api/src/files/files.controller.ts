import { Controller, Delete, Get, HttpCode, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  FileContentService,
  FileService,
  fileTag,
  StorageObjectNotFoundError,
  workspaceTag,
} from '@peregrine/content';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { tagResponse } from '../cdn/edge-headers.js';
import { identifier } from '../app/identifier.js';
import { pageOf } from '../app/paging.js';
import { sendFile } from './file-response.js';
import { fieldsQuery, fileSchema, listQuery } from './files.schemas.js';

@ApiTags('Files')
@Controller('workspaces/:workspaceId/files')
export class FilesController {
  constructor(
    private readonly files: FileService,
    private readonly contents: FileContentService,
  ) {}

  @Get()
  @RequireScope('content:read')
  @ApiOperation({ summary: 'List the files of a workspace by path' })
  @ApiResponse({ status: 200, standardSchema: pageOf(fileSchema.partial()) })
  list(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Query({ schema: listQuery }) { path, ...page }: z.output<typeof listQuery>,
  ) {
    return this.files.list(workspaceId, { ...page, pathPrefix: path });
  }

  @Get(':fileId')
  @RequireScope('content:read')
  @ApiOperation({ summary: 'Get what is known of a file' })
  @ApiResponse({ status: 200, standardSchema: fileSchema.partial() })
  get(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Param('fileId', { schema: identifier }) fileId: string,
    @Query({ schema: fieldsQuery }) { fields }: z.output<typeof fieldsQuery>,
  ) {
    return this.files.get(workspaceId, fileId, fields);
  }

  /** HEAD comes here too: Fastify makes its route from this one. */
  @Get(':fileId/content')
  @RequireScope('content:read')
  @ApiOperation({
    summary: 'Download a file',
    description: 'Conditional requests and one byte range; also HEAD.',
  })
  @ApiProduces('*/*')
  @ApiResponse({ status: 200, description: 'The content' })
  @ApiResponse({ status: 206, description: 'The range that was asked for' })
  @ApiResponse({ status: 304, description: 'The content is the one that the caller has' })
  @ApiResponse({ status: 412, description: 'If-Match or If-Unmodified-Since does not hold' })
  @ApiResponse({ status: 416, description: 'The range lies outside the content' })
  async content(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Param('fileId', { schema: identifier }) fileId: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const locate = () => request.timing.measure('locate', () => this.contents.locate(workspaceId, fileId));
    const location = await locate();
    tagResponse(request, fileTag(fileId), workspaceTag(workspaceId));
    try {
      await sendFile(this.contents, location, request, reply);
    } catch (error) {
      if (!(error instanceof StorageObjectNotFoundError)) throw error;
      // Replaced or deleted since it was located, by a process whose message has not come yet.
      await this.contents.forget(location);
      await sendFile(this.contents, await locate(), request, reply);
    }
  }

  @Delete(':fileId')
  @HttpCode(204)
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Delete a file' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  delete(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Param('fileId', { schema: identifier }) fileId: string,
  ) {
    return this.files.delete(workspaceId, fileId);
  }
}
