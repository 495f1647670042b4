import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '@peregrine/database';
import { DocumentChunks, type RetrievalAnswer, RetrievalService } from '@peregrine/retrieval';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { callerSignal } from '../app/caller-signal.js';
import { identifier } from '../app/identifier.js';
import { pageOf } from '../app/paging.js';
import { NamedWorkspace, NamesWorkspace } from '../access/named-workspace.js';
import { problemSchema } from '../problem/problem.js';
import { describeExplanation } from './explanation-answer.js';
import { answerSchema, documentChunkSchema, explainedSchema } from './retrieval-answer.schemas.js';
import {
  chunksQuery,
  type Query as RetrievalQuery,
  querySchema,
  type Question,
  questionSchema,
} from './retrieval-query.schemas.js';

const problem = (status: number, description: string) =>
  ApiResponse({ status, description, standardSchema: problemSchema });

/** Passages of files by vector, words and graph. */
@ApiTags('Retrieval')
@RequireScope('content:read')
@NamesWorkspace()
@Controller('retrieval')
export class RetrievalController {
  constructor(
    private readonly retrieval: RetrievalService,
    private readonly chunks: DocumentChunks,
    private readonly cursors: CursorCodec,
  ) {}

  @Post('query')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Find passages by meaning, words and links, best first, with a certificate of recall',
    description:
      'A plan decides how long an answer takes, never how good it is. What the time was too short for is said: `certificate.status` ' +
      'is then `uncertified`.',
  })
  @ApiResponse({ status: 200, standardSchema: answerSchema })
  @problem(
    400,
    'No such filter, a vector of other dimensions, zero or with null, or a plan that cannot answer',
  )
  @problem(404, 'No such workspace, or a seed that is not in it')
  async query(
    @NamedWorkspace() workspaceId: string,
    @Body({ schema: querySchema }) { explain, ...question }: RetrievalQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { hits, explanation } = await this.#ask(workspaceId, question, reply);
    const { status, z, wantedZ } = explanation;
    return {
      hits,
      certificate: { status, z, wantedZ },
      ...(explain && { explanation: describeExplanation(explanation) }),
    };
  }

  @Post('explain')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ask, and be told how the answer came about instead of what it says' })
  @ApiResponse({ status: 200, standardSchema: explainedSchema })
  @problem(404, 'No such workspace, or a seed that is not in it')
  async explain(
    @NamedWorkspace() workspaceId: string,
    @Body({ schema: questionSchema }) question: Question,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { hits, explanation } = await this.#ask(workspaceId, question, reply);
    return { chunkIds: hits.map((it) => it.chunkId), explanation: describeExplanation(explanation) };
  }

  @Get('documents/:documentId/chunks')
  @ApiOperation({ summary: 'List the passages of a file in their order: what a query can begin at' })
  @ApiResponse({ status: 200, standardSchema: pageOf(documentChunkSchema) })
  @problem(404, 'No such workspace, or no such file in it')
  documentChunks(
    @NamedWorkspace() workspaceId: string,
    @Param('documentId', { schema: identifier }) documentId: string,
    @Query({ schema: chunksQuery }) { limit, cursor }: z.output<typeof chunksQuery>,
  ) {
    return this.chunks.list(workspaceId, documentId, { codec: this.cursors, limit, cursor });
  }

  #ask(workspaceId: string, question: Question, reply: FastifyReply): Promise<RetrievalAnswer> {
    const { workspaceId: _named, ...input } = question;
    return this.retrieval.query(workspaceId, input, { signal: callerSignal(reply) });
  }
}
