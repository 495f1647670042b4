import { messageOf, type AdvisorSession } from './advisor-session.js';
import { type SkippedStatement, type Workload } from './advice.js';
import { PlanExpressions } from './plan-expressions.js';
import { nodesOf, type PlanNode } from './plan-node.js';
import { PlanUses } from './plan-uses.js';
import { readTableFacts, type TableCatalogue, type TableFacts } from './table-facts.js';
import { type TableUse } from './table-use.js';
import { type AnalysedStatement, analysedStatement, bound, type BoundText } from './workload-statement.js';
import { withWrittenOrders } from './written-orders.js';

/** A statement with its plan as things are now. */
export interface PlannedStatement {
  readonly statement: AnalysedStatement;
  readonly text: BoundText;
  readonly plan: PlanNode;
  readonly uses: readonly TableUse[];
  /** Every table that the plan reads. */
  readonly tables: readonly TableFacts[];
}

/** The workload as the planner sees it before any advice. */
export class PlannedWorkload {
  readonly #plans: ReadonlyMap<AnalysedStatement, PlanNode>;

  constructor(
    readonly statements: readonly PlannedStatement[],
    readonly tables: TableCatalogue,
  ) {
    this.#plans = new Map(statements.map((it) => [it.statement, it.plan]));
  }

  get writers(): readonly AnalysedStatement[] {
    return this.statements.map((it) => it.statement).filter((it) => it.analysis.writes.length > 0);
  }

  /** Rows that one call of a writing statement touches, as the planner thinks. */
  rowsOf(statement: AnalysedStatement): number {
    const plan = this.#plans.get(statement);
    // ModifyTable itself answers no rows without RETURNING.
    return Math.max(plan?.['Plan Rows'] ?? 0, ...(plan?.Plans ?? []).map((it) => it['Plan Rows']));
  }

  /** What a unit of planner cost is worth: the milliseconds it takes where times are known, else 1. */
  get weightOfCost(): number {
    const rates = this.statements
      .filter(({ statement: { given } }) => given.totalMs > 0 && given.calls > 0)
      .map(
        ({ statement: { given }, plan }) => given.totalMs / given.calls / Math.max(0.01, plan['Total Cost']),
      )
      .toSorted((a, b) => a - b);
    return rates[Math.floor(rates.length / 2)] ?? 1;
  }
}

export async function readPlannedWorkload(
  session: AdvisorSession,
  workload: Workload,
  maxStatements: number,
  skipped: SkippedStatement[],
): Promise<PlannedWorkload> {
  const analysed: AnalysedStatement[] = [];
  for (const [i, given] of workload.entries()) {
    const id = given.id ?? String(i + 1);
    const statement = analysedStatement(given, id);
    if (typeof statement === 'string') skipped.push({ statement: id, reason: statement });
    else analysed.push(statement);
  }
  const heaviest = analysed.toSorted(
    (a, b) => b.given.totalMs - a.given.totalMs || b.given.calls - a.given.calls,
  );
  for (const { id } of heaviest.slice(maxStatements))
    skipped.push({ statement: id, reason: `Only the ${maxStatements} heaviest statements are looked at.` });
  const plans = await explainAll(session, heaviest.slice(0, maxStatements), skipped);
  const tables = await readTableFacts(
    session,
    plans.flatMap(({ plan }) => relationsOf(plan)),
  );
  const expressions = new PlanExpressions();
  const statements = plans.map(({ statement, text, plan }): PlannedStatement => {
    const uses = withWrittenOrders(PlanUses.of(plan, tables, expressions), statement.analysis);
    const read = relationsOf(plan).flatMap((it) => tables.named(it.schema, it.name) ?? []);
    return { statement, text, plan, uses, tables: withParents(read, tables) };
  });
  return new PlannedWorkload(statements, tables);
}

async function explainAll(
  session: AdvisorSession,
  statements: readonly AnalysedStatement[],
  skipped: SkippedStatement[],
): Promise<readonly Pick<PlannedStatement, 'statement' | 'text' | 'plan'>[]> {
  // Typical values need statistics before there is a plan.
  const named = await readTableFacts(
    session,
    statements
      .filter((it) => it.analysis.parameterCount > 0)
      .flatMap((it) => it.analysis.references)
      .flatMap(({ relation: { schema, name } }) =>
        schema === null ? session.searchPath.map((it) => ({ schema: it, name })) : [{ schema, name }],
      ),
  );
  const plans: Pick<PlannedStatement, 'statement' | 'text' | 'plan'>[] = [];
  for (const statement of statements) {
    try {
      const text = await bound(statement, session, named);
      plans.push({ statement, text, plan: await session.explain(text) });
    } catch (error) {
      skipped.push({ statement: statement.id, reason: `PostgreSQL has no plan for it: ${messageOf(error)}` });
    }
  }
  return plans;
}

function relationsOf(plan: PlanNode): { readonly schema: string; readonly name: string }[] {
  return [...nodesOf(plan)].flatMap(({ Schema: schema, 'Relation Name': name }) =>
    schema === undefined || name === undefined ? [] : [{ schema, name }],
  );
}

/** The text names the parent, the plan only those of its partitions that were not pruned. */
function withParents(read: readonly TableFacts[], tables: TableCatalogue): readonly TableFacts[] {
  const found = new Set(read);
  for (const it of found) {
    for (const oid of it.parents) {
      const parent = tables.byOid(oid);
      if (parent !== undefined) found.add(parent);
    }
  }
  return [...found];
}
