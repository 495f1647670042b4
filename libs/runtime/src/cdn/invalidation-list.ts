import { Injectable } from '@nestjs/common';
import {
  CursorCodec,
  type KeysetKey,
  keysetPage,
  narrowToPage,
  type Page,
  Transactions,
} from '@peregrine/database';
import { selectColumns } from '@peregrine/query-optimizer/typeorm';
import { ListedInvalidation } from './invalidation.entity.js';

const LISTED = [
  ...(['id', 'position', 'provider', 'kind', 'value', 'soft', 'state', 'requests', 'attempts'] as const),
  ...(['requestedAt', 'notBefore', 'endedAt', 'sentAs', 'verified', 'error'] as const),
] as const;

type Key = KeysetKey<ListedInvalidation>;

const byPosition = (direction: Key['direction']): Key => ({
  expression: 'i.position',
  cast: 'bigint',
  direction,
  value: (row) => row.position,
});
const byEnd: Key = {
  expression: 'i.endedAt',
  cast: 'timestamptz',
  direction: 'DESC',
  // Of those that have ended none is null.
  value: (row) => row.endedAt?.toISOString() ?? '',
};

const LISTS = {
  pending: { where: 'i.endedAt IS NULL', keys: [byPosition('ASC')] },
  ended: { where: 'i.endedAt IS NOT NULL', keys: [byEnd, byPosition('DESC')] },
} as const;

export interface ListInvalidationsOptions {
  /** What is not done, oldest first; or what is done or was given up, newest first. */
  readonly state: keyof typeof LISTS;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The purges of the CDN, page by page, for those who look after it. */
@Injectable()
export class InvalidationList {
  constructor(
    private readonly transactions: Transactions,
    private readonly cursors: CursorCodec,
  ) {}

  /** @throws {InvalidCursorError} */
  page({ state, limit, cursor }: ListInvalidationsOptions): Promise<Page<ListedInvalidation>> {
    const { where, keys } = LISTS[state];
    return keysetPage<ListedInvalidation>({
      codec: this.cursors,
      scope: `cdn-invalidations:${state}`,
      limit,
      cursor,
      keys,
      fetch: (query) => {
        const builder = this.transactions.manager.createQueryBuilder(ListedInvalidation, 'i').where(where);
        return selectColumns(narrowToPage(builder, query), LISTED);
      },
    });
  }
}
