import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type Conversion,
  ConversionService,
  type ConversionTarget,
  convertFile,
  FileContentService,
  fileTag,
  workspaceTag,
} from '@peregrine/content';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { type z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { identifier } from '../app/identifier.js';
import { tagResponse } from '../cdn/edge-headers.js';
import { UNTRUSTED_CONTENT } from '../files/file-response.js';
import { evaluatePreconditions } from '../files/preconditions.js';
import { problemSchema } from '../problem/problem.js';
import { describeSubmitted } from '../tasks/task-reference.js';
import { submittedSchema } from '../tasks/task.schemas.js';
import { conversionQuery, conversionTarget, EXAMPLES } from './conversion.schemas.js';

const ACCEPTED = 202;

@ApiTags('Files')
@Controller('workspaces/:workspaceId/files/:fileId/conversions')
export class ConversionController {
  constructor(
    private readonly contents: FileContentService,
    private readonly conversions: ConversionService,
  ) {}

  /** HEAD comes here too: Fastify makes its route from this one. */
  @Get(':target')
  @RequireScope('content:read')
  @ApiOperation({
    summary: 'A file in another format',
    description:
      'Markdown and HTML to `html` (safe to show: nothing in it runs), `text` or `json` (front matter and headings; title ' +
      'and JSON-LD); CSV to `json`. Also HEAD and conditional requests. A large file is converted by a task: the answer is ' +
      '202 until it has ended, then ask again.',
  })
  @ApiResponse({
    status: 200,
    description: 'The conversion; the header X-Conversion-Notes says what was not as it should be',
    content: {
      'text/html': { example: EXAMPLES.html },
      'text/plain': { example: EXAMPLES.text },
      'application/json': { example: EXAMPLES.json },
    },
  })
  @ApiResponse({
    status: ACCEPTED,
    description: 'A task makes it; Location has the path of its status',
    standardSchema: submittedSchema,
  })
  @ApiResponse({ status: 304, description: 'The conversion is the one that the caller has' })
  @ApiResponse({ status: 413, description: 'The file is too large', standardSchema: problemSchema })
  @ApiResponse({
    status: 415,
    description: 'There is no such conversion of it',
    standardSchema: problemSchema,
  })
  @ApiResponse({ status: 422, description: 'The content cannot be converted', standardSchema: problemSchema })
  async convert(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Param('fileId', { schema: identifier }) fileId: string,
    @Param('target', { schema: conversionTarget }) target: ConversionTarget,
    @Query({ schema: conversionQuery }) options: z.output<typeof conversionQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const file = await request.timing.measure('locate', () => this.contents.locate(workspaceId, fileId));
    const wish = { target, ...options };
    tagResponse(request, fileTag(fileId), workspaceTag(workspaceId));
    // Known before anything is converted.
    const validators = { etag: `"${this.conversions.keyOf(file, wish)}"`, lastModified: file.updatedAt };
    const verdict = evaluatePreconditions(request.headers, validators);
    const headers = {
      ...UNTRUSTED_CONTENT,
      ETag: validators.etag,
      'Last-Modified': file.updatedAt.toUTCString(),
    };
    if (verdict === 'not-modified') return void reply.status(304).headers(headers).send();
    if (verdict === 'failed') return void reply.status(412).headers(headers).send();
    const { conversion, taskId } = await request.timing.measure('convert', () =>
      this.conversions.request(workspaceId, file, wish),
    );
    if (!conversion) {
      const submitted = describeSubmitted(convertFile, taskId);
      return void reply
        .status(ACCEPTED)
        .headers({ Location: submitted.url, 'Cache-Control': 'no-store' })
        .send(submitted);
    }
    void reply.headers(headers);
    send(conversion, request, reply);
  }
}

function send({ mediaType, body, notes }: Conversion, request: FastifyRequest, reply: FastifyReply): void {
  const bytes = Buffer.from(body);
  void reply.header('Content-Type', mediaType).header('Content-Length', bytes.length);
  // A header has ASCII, in one line.
  if (notes.length > 0)
    void reply.header('X-Conversion-Notes', encodeURI(notes.join(' ')).replaceAll('%20', ' '));
  void reply.send(request.method === 'HEAD' ? Readable.from([]) : bytes);
}
