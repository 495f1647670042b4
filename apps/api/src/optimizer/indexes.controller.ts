import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '@peregrine/database';
import { type IndexReport, QueryOptimizer } from '@peregrine/query-optimizer';
import { RequireScope } from '../access/access.decorators.js';
import { type IndexesQuery, indexesQuery, indexesSchema } from './index.schemas.js';
import { pageOfRanked } from './list-page.js';

/** The indexes of the database: what they take, whether they serve, and what is to be mended. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('optimizer/indexes')
export class IndexesController {
  #analysing: Promise<IndexReport> | undefined;

  constructor(
    private readonly optimizer: QueryOptimizer,
    private readonly cursors: CursorCodec,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the indexes with size and use, and those that cost and do not serve',
    description:
      'Looked at anew for each request: duplicate, overlapping, unused, invalid, bloated, missing.',
  })
  @ApiResponse({ status: 200, standardSchema: indexesSchema })
  async list(@Query({ schema: indexesQuery }) { kind, ...page }: IndexesQuery) {
    const { all, findings, indexes: total, ...report } = await this.#analyse();
    const { items, nextCursor } = pageOfRanked(
      {
        scope: 'indexes',
        items: all,
        value: (it) => it.sizeBytes,
        key: (it) => JSON.stringify([it.schema, it.index]),
      },
      page,
      this.cursors,
    );
    const chosen = findings.filter((it) => kind === undefined || it.kind === kind);
    return { ...report, total, items, nextCursor, findings: chosen };
  }

  /** Who asks while somebody else does gets the same answer. */
  #analyse(): Promise<IndexReport> {
    this.#analysing ??= this.optimizer.analyseIndexes().finally(() => (this.#analysing = undefined));
    return this.#analysing;
  }
}
