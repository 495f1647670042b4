/** A part of the order. The order must be total: the last key is unique. No key may be NULL. */
export interface KeysetOrder {
  /** Trusted SQL, never user input: `f.path COLLATE "C"`. */
  readonly expression: string;
  /** The SQL type of the expression, to which the cursor's value is cast: `text`, `uuid`, `timestamptz`, `real`. */
  readonly cast: string;
  readonly direction: 'ASC' | 'DESC';
}

/**
 * The condition "comes after the cursor" in the given order.
 *
 * Keys that all point the same way become one row comparison, which an index on them answers as a range (the
 * manual's "Row Constructor Comparison"). Mixed directions become an OR chain, behind a plain bound on the first
 * key, which an index can use.
 *
 * @param placeholder the SQL of the n-th cursor value
 * @param inclusive does the cursor's own row belong to it?
 */
export function conditionAfter(
  keys: readonly KeysetOrder[],
  placeholder: (index: number) => string,
  inclusive: boolean,
): string {
  const terms = keys.map(({ expression, cast, direction }, at) => ({
    expression,
    value: `CAST(${placeholder(at)} AS ${cast})`,
    operator: direction === 'ASC' ? '>' : '<',
  }));
  const equal = inclusive ? '=' : '';
  const [first] = terms;
  if (!first) throw new RangeError('A keyset needs at least one key');
  if (terms.every((it) => it.operator === first.operator)) {
    const left = terms.map((it) => it.expression).join(', ');
    const right = terms.map((it) => it.value).join(', ');
    return `(${left}) ${first.operator}${equal} (${right})`;
  }
  const chain = terms.reduceRight((rest, { expression, value, operator }, at) => {
    const isLast = at === terms.length - 1;
    const strict = `${expression} ${operator}${isLast ? equal : ''} ${value}`;
    return isLast ? strict : `(${strict} OR (${expression} = ${value} AND ${rest}))`;
  }, '');
  return `(${first.expression} ${first.operator}= ${first.value} AND ${chain})`;
}

export function reversed<Key extends KeysetOrder>(keys: readonly Key[]): Key[] {
  return keys.map((it) => ({ ...it, direction: it.direction === 'ASC' ? 'DESC' : 'ASC' }));
}
