import {
  BadRequestException,
  Controller,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
  UnsupportedMediaTypeException,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { FileUploadService, type UploadedFile } from '@peregrine/content';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { z } from 'zod';
import { identifier } from '../app/identifier.js';
import { RequireScope } from '../access/access.decorators.js';
import { failureOf } from '../problem/failures.js';
import { type Failure, problemSchema } from '../problem/problem.js';
import { multiUploadSchema, uploadedSchema, uploadQuery } from './files.schemas.js';
import { RawBody } from './raw-body.js';
import { UPLOAD_LIMITS, type UploadLimits } from './upload-limits.js';

type UploadResult = UploadedFile | { path: string; problem: Pick<Failure, 'code' | 'detail' | 'status'> };

@ApiTags('Files')
@Controller('workspaces/:workspaceId/files')
export class UploadsController {
  constructor(
    private readonly uploads: FileUploadService,
    @Inject(UPLOAD_LIMITS) private readonly limits: UploadLimits,
  ) {}

  @Put('*')
  @RawBody()
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Upload one file under its path; the body is the content' })
  @ApiParam({
    name: 'path',
    description: 'The path in the workspace, percent-encoded; at most 1,024 bytes',
    schema: { type: 'string' },
  })
  @ApiConsumes('*/*')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiResponse({ status: 201, description: 'A new file', standardSchema: uploadedSchema })
  @ApiResponse({
    status: 200,
    description: 'A new content of a file, or the same',
    standardSchema: uploadedSchema,
  })
  @ApiResponse({ status: 413, description: 'The file is too large', standardSchema: problemSchema })
  async put(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const uploaded = await this.uploads.upload(workspaceId, pathOf(request), request.raw, {
      limitBytes: this.limits.fileBytes,
      mediaType: request.statedMediaType,
    });
    void reply.status(uploaded.created ? 201 : 200);
    void reply.header('Location', `/api/v1/workspaces/${workspaceId}/files/${uploaded.file.id}`);
    return uploaded;
  }

  @Post()
  @RequireScope('content:write')
  @ApiOperation({
    summary: 'Upload several files as a form',
    description:
      'Each part with a file name is a file; its name, after the folder, is its path. A file that is refused ' +
      'does not stop the others: the answer is 207 and says of each what became of it.',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: { type: 'object', additionalProperties: { type: 'string', format: 'binary' } } })
  @ApiResponse({ status: 201, description: 'All were stored', standardSchema: multiUploadSchema })
  @ApiResponse({ status: 207, description: 'Some were refused', standardSchema: multiUploadSchema })
  @ApiResponse({ status: 415, description: 'The body is no form', standardSchema: problemSchema })
  async post(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Query({ schema: uploadQuery }) { folder }: z.output<typeof uploadQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (!request.isMultipart()) throw new UnsupportedMediaTypeException('Send a multipart/form-data body');
    if (!/;\s*boundary=\S/i.test(request.headers['content-type'] ?? '')) {
      throw new BadRequestException('The Content-Type names no boundary');
    }
    const items: UploadResult[] = [];
    for await (const part of request.files({ limits: { files: this.limits.files } })) {
      const path = [folder, part.filename].filter(Boolean).join('/');
      items.push(await this.#uploadPart(workspaceId, path, part));
      // What a refused file has left would hold up the next part.
      part.file.resume();
    }
    if (items.length === 0) throw new BadRequestException('The form has no file: a part needs a file name');
    void reply.status(items.some((it) => 'problem' in it) ? 207 : 201);
    return { items };
  }

  async #uploadPart(
    workspaceId: string,
    path: string,
    part: { file: Readable; mimetype: string },
  ): Promise<UploadResult> {
    try {
      return await this.uploads.upload(workspaceId, path, part.file, {
        limitBytes: this.limits.fileBytes,
        mediaType: part.mimetype,
      });
    } catch (error) {
      const { code, detail, status } = failureOf(error);
      // Only what is wrong with this one file; a broken connection or storage ends the whole request.
      if (code !== 'CONTENT_INVALID_FILE_PATH' && code !== 'STORAGE_UPLOAD_TOO_LARGE') throw error;
      return { path: path.slice(0, 200), problem: { code, detail, status } };
    }
  }
}

/** The decoded rest of the URL. */
function pathOf(request: FastifyRequest): string {
  return (request.params as { '*': string })['*'];
}
