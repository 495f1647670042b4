import { analyse } from '../analysis/analyse.js';
import { type Statement } from '../analysis/statement.js';
import { type LoopKey } from './loop-evidence.js';

/** The statement for all values at once, or null where it takes more than this to write it. */
export function batchRewrite(statement: Statement, { column, parameter }: LoopKey): string | null {
  // With a LIMIT a statement means so many rows of each: a window or a lateral join, which is not for us to write.
  if (parameter === null || statement.blocks[0]?.limit) return null;
  const text = statement.text.replace(
    new RegExp(String.raw`=\s*\$${parameter}(?!\d)`),
    `= ANY($${parameter})`,
  );
  const rewritten = analyse(text);
  const isArray = rewritten.predicates.some(
    (it) =>
      it.column.name === column && it.operand.kind === 'parameterArray' && it.operand.number === parameter,
  );
  return isArray ? text : null;
}
