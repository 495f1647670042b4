import { analyse } from '../analysis/analyse.js';
import { type Statement } from '../analysis/statement.js';
import { messageOf, type AdvisorSession, type ExplainableText } from './advisor-session.js';
import { type WorkloadStatement } from './advice.js';
import { parameterText, typicalValues } from './parameter-values.js';
import { type TableCatalogue } from './table-facts.js';
import { quoteLiteral, withLiterals, withoutSemicolons } from './text-edits.js';

const EXPLAINABLE = new Set(['select', 'insert', 'update', 'delete', 'merge']);

/** A statement of the workload that EXPLAIN can take. */
export interface AnalysedStatement {
  readonly id: string;
  readonly given: WorkloadStatement;
  readonly analysis: Statement;
  /** Without semicolons; parameters are still in it. */
  readonly text: string;
}

/** The statement, or why it cannot be advised on. */
export function analysedStatement(given: WorkloadStatement, id: string): AnalysedStatement | string {
  try {
    const analysis = analyse(given.text);
    if (analysis.syntaxError !== null) return `It does not parse: ${analysis.syntaxError.message}`;
    if (!EXPLAINABLE.has(analysis.kind)) return `No index serves a statement of the kind ${analysis.kind}.`;
    if (analysis.usesTemporaryTables) return 'It uses temporary tables, of which only its session knows.';
    return { id, given, analysis, text: withoutSemicolons(given.text) };
  } catch (error) {
    return messageOf(error);
  }
}

export interface BoundText extends ExplainableText {
  /** What stands in the text for $1, $2, …. */
  readonly parameterValues: ReadonlySet<string>;
}

/** Puts typical values in the place of parameters; where they are not known, the parameters stay: the generic plan. */
export async function bound(
  { given, analysis, text }: AnalysedStatement,
  session: AdvisorSession,
  tables: TableCatalogue,
): Promise<BoundText> {
  if (analysis.parameterCount === 0) return { text, parameterCount: 0, parameterValues: new Set() };
  const values =
    given.parameters !== undefined && given.parameters.length >= analysis.parameterCount
      ? new Map(given.parameters.map((it, i) => [i + 1, parameterText(it)]))
      : typicalValues(analysis, tables, session.searchPath);
  if (values === null) return { text, parameterCount: analysis.parameterCount, parameterValues: new Set() };
  const types = await session.parameterTypes(text);
  const literals = [...values].map(([number, value]): [number, string] => {
    const type = types[number - 1] ?? 'text';
    // Spaces, since a keyword may stand right beside the parameter.
    return [number, ` (${value === null ? 'NULL' : quoteLiteral(value)}::${type}) `];
  });
  const parameterValues = new Set([...values.values()].filter((it) => it !== null));
  return { text: withLiterals(text, new Map(literals)), parameterCount: 0, parameterValues };
}
