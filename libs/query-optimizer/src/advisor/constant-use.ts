import { type TableFacts } from './table-facts.js';
import { type TableUse } from './table-use.js';

/** A partial index for a constant must not be made for a value that merely happened to be asked for once. */
const ENOUGH_TEXTS = 2;
const ENOUGH_CALLS = 100;
const MAX_DISTINCT = 12;

interface Counted {
  texts: number;
  calls: number;
}

/** Which constants the whole workload compares columns with. */
export class ConstantUse {
  readonly #constants = new Map<string, Map<string, Counted>>();
  readonly #withParameters = new Set<string>();

  /** @param parameterValues constants that stand in the plan for $1, $2, … */
  add(uses: readonly TableUse[], parameterValues: ReadonlySet<string>, calls: number): void {
    const seen = new Set<string>();
    for (const { table, comparisons } of uses) {
      for (const { key, operator, constant } of comparisons) {
        const column = columnKey(table, key.sql);
        if (constant === null || !operator.startsWith('=') || seen.has(`${column}\0${constant}`)) continue;
        seen.add(`${column}\0${constant}`);
        if (parameterValues.has(valueOf(constant))) this.#withParameters.add(column);
        this.#count(column, constant, calls);
      }
    }
  }

  /** The column has few values, and all of the workload asks for this one, again and again. */
  isRepeated(table: TableFacts, column: string, constant: string): boolean {
    const facts = table.columns.get(column);
    const key = columnKey(table, column);
    const constants = this.#constants.get(key);
    const counted = constants?.get(constant);
    if (facts === undefined || counted === undefined || this.#withParameters.has(key)) return false;
    const isOften = counted.texts >= ENOUGH_TEXTS || counted.calls >= ENOUGH_CALLS;
    return isOften && constants?.size === 1 && facts.distinctCount <= MAX_DISTINCT;
  }

  #count(column: string, constant: string, calls: number): void {
    const constants = this.#constants.get(column) ?? new Map<string, Counted>();
    this.#constants.set(column, constants);
    const counted = constants.get(constant) ?? { texts: 0, calls: 0 };
    constants.set(constant, { texts: counted.texts + 1, calls: counted.calls + calls });
  }
}

const columnKey = (table: TableFacts, column: string): string => `${table.oid}\0${column}`;

/** `('pending'::text)`, `'pending'::text` and `5` without quotes and casts. */
function valueOf(constant: string): string {
  const bare = constant.replace(/^\(+/, '');
  const quoted = /^E?'((?:[^']|'')*)'/.exec(bare);
  return quoted === null ? bare.replace(/[):].*$/, '') : (quoted[1] ?? '').replaceAll("''", "'");
}
