import { Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '@peregrine/database';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { type Caller, type IndexChange, IndexChanges } from '@peregrine/runtime';
import { type FastifyReply } from 'fastify';
import { CurrentCaller, RequireScope } from '../access/access.decorators.js';
import { ApiKeyService } from '../access/api-key.service.js';
import { problemSchema } from '../problem/problem.js';
import { submittedSchema } from '../tasks/task.schemas.js';
import { describeSubmitted, type Submitted } from '../tasks/task-reference.js';
import { pageOfRanked } from './list-page.js';
import {
  describeDetail,
  describeRecommendation,
  describeRejected,
  describeRound,
} from './recommendation-answers.js';
import {
  recommendationDetailSchema,
  recommendationParameter,
  recommendationsPageSchema,
  type RecommendationsQuery,
  recommendationsQuery,
} from './recommendation.schemas.js';

/** Who asks for it. */
type Actor = Pick<Caller, 'apiKeyId'>;

const ACCEPTED = 202;
const inBackground = ApiResponse({
  status: ACCEPTED,
  description:
    'A task does it; Location has the path of its progress and result. Asked for twice, it is the same task',
  standardSchema: submittedSchema,
});
const wrongState = ApiResponse({
  status: 409,
  description: 'The state of the recommendation does not allow it',
  standardSchema: problemSchema,
});

/** Indexes that would help, as adaptive indexing has found them, and what becomes of them. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('optimizer/recommendations')
export class RecommendationsController {
  constructor(
    private readonly optimizer: QueryOptimizer,
    private readonly changes: IndexChanges,
    private readonly apiKeys: ApiKeyService,
    private readonly cursors: CursorCodec,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the recommended indexes with their reasons, and what was rejected with its reason',
    description: 'Open ones first, the most useful of a state first. Empty before the first round.',
  })
  @ApiResponse({ status: 200, standardSchema: recommendationsPageSchema })
  async list(@Query({ schema: recommendationsQuery }) { state, ...page }: RecommendationsQuery) {
    const { adaptiveIndexing: adaptive } = this.optimizer;
    const all = await adaptive.recommendations(state === undefined ? {} : { state });
    const [lastRound] = await adaptive.rounds(1);
    const places = new Map(all.map((it, index) => [it.id, -index]));
    const { items, nextCursor } = pageOfRanked(
      {
        scope: `recommendations:${state ?? ''}`,
        items: all,
        value: (it) => places.get(it.id) ?? 0,
        key: (it) => it.id,
      },
      page,
      this.cursors,
    );
    return {
      mode: adaptive.mode,
      items: items.map(describeRecommendation),
      nextCursor,
      lastRound: lastRound ? describeRound(lastRound) : null,
      rejected: (lastRound?.rejected ?? []).map(describeRejected),
    };
  }

  @Get(':recommendationId')
  @ApiOperation({ summary: 'One recommendation with the statements it is for, and what its build measured' })
  @ApiResponse({ status: 200, standardSchema: recommendationDetailSchema })
  async find(@Param('recommendationId', { schema: recommendationParameter }) id: string) {
    const { adaptiveIndexing: adaptive } = this.optimizer;
    const found = await adaptive.recommendation(id);
    if (found.ledgerId === null) return describeDetail(found, undefined);
    const ledger = await adaptive.ledger(Number.MAX_SAFE_INTEGER);
    return describeDetail(
      found,
      ledger.find((it) => it.id === found.ledgerId),
    );
  }

  @Post(':recommendationId/apply')
  @HttpCode(ACCEPTED)
  @ApiOperation({
    summary: 'Build a recommended index',
    description:
      'Without locking; its statements are measured before and after, and it stays only when they are faster. In the audit.',
  })
  @inBackground
  @wrongState
  apply(
    @Param('recommendationId', { schema: recommendationParameter }) id: string,
    @CurrentCaller() caller: Actor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Submitted> {
    return this.#request('apply', id, caller, reply);
  }

  @Post(':recommendationId/revert')
  @HttpCode(ACCEPTED)
  @ApiOperation({
    summary: 'Drop an index that was built on a recommendation',
    description: 'Nothing else is ever dropped. Rounds do not build it again for some days. In the audit.',
  })
  @inBackground
  @wrongState
  revert(
    @Param('recommendationId', { schema: recommendationParameter }) id: string,
    @CurrentCaller() caller: Actor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Submitted> {
    return this.#request('revert', id, caller, reply);
  }

  async #request(
    change: IndexChange,
    recommendation: string,
    { apiKeyId }: Actor,
    reply: FastifyReply,
  ): Promise<Submitted> {
    const actor = { id: apiKeyId, name: await this.apiKeys.nameOf(apiKeyId) };
    const { definition, id } = await this.changes.request(change, recommendation, actor);
    const submitted = describeSubmitted(definition, id);
    void reply.header('Location', submitted.url);
    return submitted;
  }
}
