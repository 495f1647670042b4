import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  AiInputError,
  AiStatisticsService,
  AiUnknownModelError,
  analyseBatch,
  AnalysisService,
  type ChatRequest,
  ChatService,
  EmbeddingsService,
} from '@peregrine/ai';
import { TaskQueue } from '@peregrine/task-queue';
import { type FastifyReply } from 'fastify';
import { CurrentCaller, RequireScope } from '../access/access.decorators.js';
import { type Caller } from '../access/api-key.js';
import { callerSignal } from '../app/caller-signal.js';
import { problemSchema } from '../problem/problem.js';
import { submittedSchema } from '../tasks/task.schemas.js';
import { callersTaskId } from '../tasks/task-access.js';
import { describeSubmitted } from '../tasks/task-reference.js';
import {
  aiStatisticsSchema,
  analysisAnswerSchema,
  type AnalysisBatch,
  analysisBatchSchema,
  type AnalysisBody,
  analysisRequestSchema,
  chatAnswerSchema,
  chatSchema,
  embeddingAnswerSchema,
  type EmbeddingBody,
  embeddingRequestSchema,
  statisticsQuery,
} from './ai.schemas.js';
import { sendEvents } from './sse-reply.js';

const ACCEPTED = 202;
const problem = (status: number, description: string) =>
  ApiResponse({ status, description, standardSchema: problemSchema });

/** AI results, each kept for the API key that asked for it. */
@ApiTags('AI')
@RequireScope('ai:use')
@Controller('ai')
export class AiController {
  constructor(
    private readonly analyses: AnalysisService,
    private readonly embeddings: EmbeddingsService,
    private readonly chats: ChatService,
    private readonly usage: AiStatisticsService,
    private readonly queue: TaskQueue,
  ) {}

  @Post('analyses')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Analyse code for security and quality',
    description: 'The same code, language and rules have the same result, kept for 24 hours.',
  })
  @ApiResponse({ status: 200, standardSchema: analysisAnswerSchema })
  @problem(422, 'The analysis of this code does not end in time')
  analyse(@Body({ schema: analysisRequestSchema }) body: AnalysisBody, @CurrentCaller() caller: Caller) {
    return this.analyses.analyse({ tenant: caller.apiKeyId, ...body });
  }

  @Post('analyses/batch')
  @HttpCode(ACCEPTED)
  @ApiOperation({
    summary: 'Analyse up to 500 codes in the background',
    description: 'The result of the task has one item for each code; what cannot be analysed fails alone.',
  })
  @ApiResponse({
    status: ACCEPTED,
    description: 'Submitted; Location has the path of its status',
    standardSchema: submittedSchema,
  })
  async analyseBatch(
    @Body({ schema: analysisBatchSchema }) { items }: AnalysisBatch,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { id } = await this.queue.submit(
      analyseBatch,
      { tenant: caller.apiKeyId, items },
      { id: callersTaskId(caller) },
    );
    const submitted = describeSubmitted(analyseBatch, id);
    void reply.header('Location', submitted.url);
    return submitted;
  }

  @Post('embeddings')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Embed texts',
    description:
      'In the form of the public protocol. Each text is kept for 7 days, and only those that are not go to the provider.',
  })
  @ApiResponse({ status: 200, standardSchema: embeddingAnswerSchema })
  @problem(502, 'The provider has failed')
  async embed(
    @Body({ schema: embeddingRequestSchema }) body: EmbeddingBody,
    @CurrentCaller() { apiKeyId }: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    this.#assertModel(body);
    const inputs = typeof body.input === 'string' ? [body.input] : body.input;
    const signal = callerSignal(reply);
    const { vectors, promptTokens } = await this.embeddings.embed({ tenant: apiKeyId, inputs, signal });
    return {
      object: 'list',
      data: vectors.map((it, index) => ({
        object: 'embedding',
        index,
        embedding: body.encoding_format === 'float' ? [...it] : base64Of(it),
      })),
      model: this.embeddings.name,
      usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
    };
  }

  @Post('chat')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Chat with the configured model',
    description:
      'In the form of the public protocol; with `stream: true` server-sent events that end with [DONE]. Kept for an hour when ' +
      '`temperature` is 0.3 or less. The header X-AI-Cache says hit, miss, coalesced or bypass; semantic, only where the setting ' +
      'AI_SEMANTIC_REUSE allows it, is the reply to another question, as near as X-AI-Similarity says.',
  })
  @ApiResponse({ status: 200, standardSchema: chatAnswerSchema })
  @problem(429, 'The daily budget does not cover the call; see Retry-After')
  @problem(502, 'The provider has failed, or its reply broke off')
  @problem(504, 'The provider was silent for too long')
  async chat(
    @Body({ schema: chatSchema }) body: ChatRequest,
    @CurrentCaller() { apiKeyId }: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const signal = callerSignal(reply);
    const answer = await this.chats.open(body, { tenant: apiKeyId, signal });
    const { source, detail } = answer;
    void reply.header('X-AI-Cache', source);
    if (detail.similarity !== undefined) void reply.header('X-AI-Similarity', detail.similarity.toFixed(4));
    if (body.stream) await sendEvents(reply, answer.events(signal));
    else await reply.header('Cache-Control', 'no-store').send(await answer.completion(signal));
  }

  @Get('statistics')
  @ApiOperation({
    summary: 'Results, calls saved, and dollars spent and saved, of all API keys together',
    description: 'Counted by all processes, at most five seconds old.',
  })
  @ApiResponse({ status: 200, standardSchema: aiStatisticsSchema })
  statistics(@Query({ schema: statisticsQuery }) { days }: { days: number }) {
    return this.usage.read(days);
  }

  /** @throws {AiUnknownModelError} {@link AiInputError} */
  #assertModel({ model, dimensions }: EmbeddingBody): void {
    const { name, dimensions: own } = this.embeddings;
    if (model !== undefined && model !== name) throw new AiUnknownModelError(model, [name]);
    if (dimensions !== undefined && dimensions !== own) {
      throw new AiInputError('dimensions', `must be ${own}: the model ${name} has no others here`);
    }
  }
}

function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
