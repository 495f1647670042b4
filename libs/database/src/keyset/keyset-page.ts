import { InvalidCursorError } from '../database.errors.js';

import type { CursorCodec, CursorPosition } from './cursor-codec.js';
import { conditionAfter, reversed, type KeysetOrder } from './keyset-condition.js';

/** A part of the order and how to read it from a row. */
export interface KeysetKey<Row> extends KeysetOrder {
  /**
   * The row's value, exact enough to find the place again: a timestamp as text with microseconds
   * (`created_at::text`), not as a `Date`, which has only milliseconds; a bigint or numeric as text.
   */
  readonly value: (row: Row) => string | number;
}

/** What a page asks the database for. */
export interface KeysetQuery {
  /** A condition with `$n` from `firstParameter` on; `TRUE` without a cursor. */
  readonly where: string;
  /** Without the words ORDER BY. */
  readonly orderBy: string;
  readonly parameters: readonly (string | number)[];
  /** One more than a page holds: the surplus row says that there is more. */
  readonly limit: number;
  /** The same for a TypeORM query builder, which `narrowToPage` puts it on. */
  readonly named: { readonly where: string; readonly parameters: Readonly<Record<string, string | number>> };
  /** The same order in parts. */
  readonly order: readonly KeysetOrder[];
}

export interface KeysetPageOptions<Row> {
  readonly codec: CursorCodec;
  /** Names list, workspace, filter and order: a cursor of another scope is refused. */
  readonly scope: string;
  /** Rows a page, 1 or more. */
  readonly limit: number;
  /** From a former page; empty or missing for the first page. */
  readonly cursor?: string | null;
  readonly keys: readonly KeysetKey<Row>[];
  readonly fetch: (query: KeysetQuery) => Promise<readonly Row[]>;
  /** The number of the first `$n` in `where`. Default 1. */
  readonly firstParameter?: number;
}

export interface Page<Row> {
  readonly items: Row[];
  /** Null: this is the end of the list. */
  readonly nextCursor: string | null;
  /** Null: this is the beginning of the list. */
  readonly previousCursor: string | null;
}

/**
 * One page of a list in a stable order, found by the keys of its neighbour, so that it costs the same at any depth
 * and rows that are inserted or deleted meanwhile neither repeat nor hide others. One query.
 *
 * @throws {InvalidCursorError}
 */
export async function keysetPage<Row>(options: KeysetPageOptions<Row>): Promise<Page<Row>> {
  const { codec, scope, cursor, keys, limit } = options;
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('The limit must be a positive integer');
  const position = cursor ? codec.decode(scope, cursor) : undefined;
  if (position && position.values.length !== keys.length) throw new InvalidCursorError();
  const fetched = await options.fetch(buildQuery(options, position));
  const rows = fetched.slice(0, limit);
  if (position?.direction === 'backward') rows.reverse();
  const hasMore = fetched.length > limit;
  return { items: rows, ...cursorsAround(options, rows, position, hasMore) };
}

function buildQuery<Row>(options: KeysetPageOptions<Row>, position: CursorPosition | undefined): KeysetQuery {
  const { keys, limit, firstParameter = 1 } = options;
  const order = position?.direction === 'backward' ? reversed(keys) : keys;
  const orderBy = order.map((it) => `${it.expression} ${it.direction}`).join(', ');
  const base = { order, orderBy, limit: limit + 1 };
  if (!position) return { ...base, where: 'TRUE', parameters: [], named: { where: 'TRUE', parameters: {} } };
  const name = (at: number): string => `keyset${at}`;
  return {
    ...base,
    where: conditionAfter(order, (at) => `$${firstParameter + at}`, position.inclusive),
    parameters: position.values,
    named: {
      where: conditionAfter(order, (at) => `:${name(at)}`, position.inclusive),
      parameters: Object.fromEntries(position.values.map((it, at) => [name(at), it])),
    },
  };
}

type Cursors = Pick<Page<unknown>, 'nextCursor' | 'previousCursor'>;

function cursorsAround<Row>(
  { codec, scope, keys }: KeysetPageOptions<Row>,
  rows: readonly Row[],
  position: CursorPosition | undefined,
  hasMore: boolean,
): Cursors {
  const backward = position?.direction === 'backward';
  const at = (row: Row, direction: CursorPosition['direction']): string =>
    codec.encode(scope, { direction, inclusive: false, values: keys.map((key) => exact(key.value(row))) });
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return cursorsOfNothing(codec, scope, position);
  return {
    nextCursor: backward || hasMore ? at(last, 'forward') : null,
    previousCursor: backward
      ? hasMore
        ? at(first, 'backward')
        : null
      : position
        ? at(first, 'backward')
        : null,
  };
}

/** All rows that way are gone: the way back begins with the row from which we came, if it is still there. */
function cursorsOfNothing(codec: CursorCodec, scope: string, position: CursorPosition | undefined): Cursors {
  if (!position) return { nextCursor: null, previousCursor: null };
  const { values } = position;
  const turn = (direction: CursorPosition['direction']): string =>
    codec.encode(scope, { direction, inclusive: !position.inclusive, values });
  return position.direction === 'forward'
    ? { nextCursor: null, previousCursor: turn('backward') }
    : { nextCursor: turn('forward'), previousCursor: null };
}

function exact(value: string | number): string | number {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new RangeError('A key value must be a string or a finite number; give others as text');
  }
  return value;
}
