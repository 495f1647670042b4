import { type SortKey } from '../analysis/predicate.js';
import { type Statement } from '../analysis/statement.js';
import { quoteUnlessPlain } from './key-expression.js';
import { type OrderKey, type TableUse } from './table-use.js';

/**
 * ORDER BY of the statement itself, for the table that it begins with. A plan that already takes its order from an index shows no
 * sort, though an index that holds the conditions as well would be better.
 */
export function withWrittenOrders(uses: readonly TableUse[], statement: Statement): readonly TableUse[] {
  const written = statement.orderBy.filter((it) => statement.blocks[it.block]?.role === 'main');
  const [first] = written;
  if (first === undefined) return uses;
  const owner = uses.filter((it) => isOf(first, it, uses, statement));
  return uses.map((use) => {
    if (!owner.includes(use)) return use;
    const order: OrderKey[] = [];
    for (const it of written) {
      if (it.column === null || !isOf(it, use, uses, statement)) break;
      const { name } = it.column;
      const key = { sql: quoteUnlessPlain(name), columns: [name], isExpression: false };
      order.push({ key, direction: it.direction, nulls: it.nulls });
    }
    return order.length === 0 ? use : { ...use, orders: [...use.orders, order] };
  });
}

function isOf({ column }: SortKey, use: TableUse, uses: readonly TableUse[], statement: Statement): boolean {
  if (column === null || column.expression !== null || !use.table.columns.has(column.name)) return false;
  const alias = column.reference === null ? null : statement.references[column.reference]?.alias;
  if (alias !== null) return use.alias === alias || use.alias.replace(/_\d+$/, '') === alias;
  const holders = uses.filter((it) => it.table.columns.has(column.name));
  return holders.length === 1;
}
