import { type Alias, type JoinExpr, type Node, type RangeFunction, type RangeVar } from 'libpg-query';

import { type Collector } from './collector.js';
import { type PredicateExtraction } from './predicate-extraction.js';
import { type RangeItem, type Scope } from './scope.js';
import { nameOf, relationOf, stringsOf } from './tree.js';

/** What the items of FROM need from the walk around them. */
export interface FromContext {
  readonly found: Collector;
  readonly predicates: PredicateExtraction;
  walkExpression(value: unknown, scope: Scope): void;
  walkDerived(query: Node, scope: Scope | null, outer: Scope): void;
}

/** Walks FROM: adds its tables to the scope, and answers them with the outer joins that they are under. */
export class FromClause {
  constructor(private readonly context: FromContext) {}

  /** Fills `scope.items`, left to right, since LATERAL sees what stands before it. */
  walk(nodes: readonly Node[] | undefined, scope: Scope): void {
    const before = scope.items;
    const items = (nodes ?? []).flatMap((it) => this.#item(it, scope));
    scope.items = [...before, ...items];
  }

  #item(node: Node, scope: Scope): readonly RangeItem[] {
    if ('JoinExpr' in node) return this.#join(node.JoinExpr, scope);
    const item = this.#leaf(node, scope);
    scope.items = [...scope.items, item];
    return [item];
  }

  #leaf(node: Node, scope: Scope): RangeItem {
    if ('RangeVar' in node) return this.#table(node.RangeVar, scope);
    if ('RangeSubselect' in node) {
      const { subquery, lateral, alias } = node.RangeSubselect;
      if (subquery !== undefined) {
        this.context.walkDerived(subquery, lateral === true ? scope : scope.parent, scope);
      }
      return opaque(alias);
    }
    if ('RangeTableSample' in node && node.RangeTableSample.relation !== undefined) {
      this.context.found.samplesRows = true;
      this.context.walkExpression([node.RangeTableSample.args, node.RangeTableSample.repeatable], scope);
      return this.#leaf(node.RangeTableSample.relation, scope);
    }
    // Functions, XMLTABLE, JSON_TABLE see what stands before them, with or without LATERAL.
    this.context.walkExpression(node, scope);
    return opaque(aliasOf(node), 'RangeFunction' in node ? functionName(node.RangeFunction) : '');
  }

  #table(range: RangeVar, scope: Scope): RangeItem {
    const relation = relationOf(range);
    const alias = range.alias?.aliasname ?? relation.name;
    if (relation.schema === null && scope.ctes.has(relation.name)) return opaque(range.alias, relation.name);
    const renamesColumns = (range.alias?.colnames?.length ?? 0) > 0;
    const reference = this.context.found.addReference({
      relation,
      alias,
      use: 'read',
      block: scope.block,
      only: range.inh !== true,
      nullable: false,
      renamesColumns,
    });
    return {
      alias,
      reference,
      relation: range.alias === undefined ? relation : null,
      renamesColumns,
      nullable: false,
    };
  }

  #join(join: JoinExpr, scope: Scope): readonly RangeItem[] {
    const left = join.larg === undefined ? [] : this.#item(join.larg, scope);
    const right = join.rarg === undefined ? [] : this.#item(join.rarg, scope);
    const inside: Scope = { ...scope, items: [...left, ...right] };
    const decided = [...(keepsLeft(join) ? [] : left), ...(keepsRight(join) ? [] : right)];
    if (join.quals !== undefined) {
      this.context.predicates.extract(join.quals, { scope: inside, clause: 'on', decided });
      this.context.walkExpression(join.quals, inside);
    }
    this.context.predicates.using(stringsOf(join.usingClause), left, right, scope.block, decided);
    const items = [
      ...(keepsRight(join) ? this.#mayMiss(left) : left),
      ...(keepsLeft(join) ? this.#mayMiss(right) : right),
    ];
    // `(a JOIN b …) AS j` hides the names inside; the columns of j may be any of theirs.
    return join.alias === undefined ? items : [opaque(join.alias)];
  }

  #mayMiss(items: readonly RangeItem[]): readonly RangeItem[] {
    for (const it of items) if (it.reference !== null) this.context.found.markNullable(it.reference);
    return items.map((it) => ({ ...it, nullable: true }));
  }
}

function keepsLeft({ jointype }: JoinExpr): boolean {
  return jointype === 'JOIN_LEFT' || jointype === 'JOIN_FULL';
}

function keepsRight({ jointype }: JoinExpr): boolean {
  return jointype === 'JOIN_RIGHT' || jointype === 'JOIN_FULL';
}

function opaque(alias: Alias | undefined, name = ''): RangeItem {
  return {
    alias: alias?.aliasname ?? name,
    reference: null,
    relation: null,
    renamesColumns: false,
    nullable: false,
  };
}

function aliasOf(node: Node): Alias | undefined {
  const [inner] = Object.values(node) as { alias?: Alias }[];
  return inner?.alias;
}

function functionName({ functions }: RangeFunction): string {
  const [first] = functions ?? [];
  const call = first !== undefined && 'List' in first ? first.List.items?.[0] : undefined;
  return call !== undefined && 'FuncCall' in call ? nameOf(stringsOf(call.FuncCall.funcname)).name : '';
}
