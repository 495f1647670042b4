import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

import type { KeysetQuery } from './keyset-page.js';

/**
 * Puts condition, order and limit of a page on a TypeORM query, whose conditions stay. The keys' expressions may name
 * properties of its entities (`f.createdAt`). Never an OFFSET.
 *
 * @returns the same builder
 */
export function narrowToPage<Entity extends ObjectLiteral>(
  query: SelectQueryBuilder<Entity>,
  { named, order, limit }: KeysetQuery,
): SelectQueryBuilder<Entity> {
  query.andWhere(named.where, named.parameters).orderBy().limit(limit);
  for (const it of order) query.addOrderBy(it.expression, it.direction);
  return query;
}
