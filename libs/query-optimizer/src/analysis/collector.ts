import {
  type ColumnUse,
  type GroupKey,
  type Operand,
  type Predicate,
  type SelectedColumn,
  type SortKey,
} from './predicate.js';
import { formatRelationName, type RelationName } from './relation-name.js';
import { type FunctionCall, type QueryBlock, type TableReference, type TableWrite } from './statement.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the walk through one tree has found so far. */
export class Collector {
  readonly references: TableReference[] = [];
  readonly blocks: Writable<QueryBlock>[] = [];
  readonly writes: TableWrite[] = [];
  readonly predicates: Predicate[] = [];
  readonly orderBy: SortKey[] = [];
  readonly groupBy: GroupKey[] = [];
  readonly selected: SelectedColumn[] = [];
  readonly columns: ColumnUse[] = [];
  readonly parameters = new Set<number>();
  readonly operators = new Set<string>();
  readonly columnNames = new Set<string>();
  readonly sqlValueFunctions = new Set<string>();
  readonly #functions = new Map<string, FunctionCall>();
  locksRows = false;
  samplesRows = false;
  usesTemporaryTables = false;

  openBlock(role: QueryBlock['role'], parent: number | null): number {
    const block = { role, parent, isDistinct: false, hasAggregates: false, limit: null, offset: null };
    return this.blocks.push(block) - 1;
  }

  block(index: number): Writable<QueryBlock> {
    const block = this.blocks[index];
    if (block === undefined) throw new RangeError(`no query block ${index}`);
    return block;
  }

  addReference(reference: TableReference): number {
    return this.references.push(reference) - 1;
  }

  markNullable(index: number): void {
    const reference = this.references[index];
    if (reference !== undefined) this.references[index] = { ...reference, nullable: true };
  }

  addFunction(name: RelationName, argumentCount: number): void {
    this.#functions.set(`${formatRelationName(name)}/${argumentCount}`, { name, argumentCount });
  }

  addLimit(block: number, limit: Operand | null, offset: Operand | null): void {
    const it = this.block(block);
    it.limit = limit;
    it.offset = offset;
  }

  get functions(): readonly FunctionCall[] {
    return [...this.#functions.values()];
  }

  /** Names of the tables read, each once. */
  get reads(): readonly RelationName[] {
    const names = new Map<string, RelationName>();
    for (const { relation, use } of this.references) {
      if (use === 'read') names.set(formatRelationName(relation), relation);
    }
    return [...names.values()];
  }
}
