import { tryAnalyse } from '../analysis/analyse.js';
import { loadAnalyser } from '../analysis/parser.js';
import { type Statement } from '../analysis/statement.js';
import { type WorkloadStatement } from './advice.js';
import { type AdvisorOptionsInput, parseAdvisorOptions } from './advisor.options.js';
import { AdvisorSession } from './advisor-session.js';
import { typicalValues } from './parameter-values.js';
import { readTableFacts, type TableCatalogue } from './table-facts.js';

/**
 * Statements that can be run: where the values of a call are not known, with typical ones from what ANALYZE knows, as text.
 * Those for which there are none stay as they are.
 *
 * @throws {QueryAdvisorError}
 */
export async function withTypicalParameters<T extends WorkloadStatement>(
  statements: readonly T[],
  input: AdvisorOptionsInput,
): Promise<readonly T[]> {
  await loadAnalyser();
  const lacking = statements.filter(lacksParameters);
  if (lacking.length === 0) return statements;
  return AdvisorSession.with(parseAdvisorOptions(input), async (session) => {
    const names = lacking
      .flatMap((it) => tryAnalyse(it.text)?.references ?? [])
      .flatMap(({ relation: { schema, name } }) =>
        schema === null ? session.searchPath.map((it) => ({ schema: it, name })) : [{ schema, name }],
      );
    const tables = await readTableFacts(session, names);
    return statements.map((it) => (lacksParameters(it) ? completed(it, tables, session.searchPath) : it));
  });
}

function lacksParameters({ text, parameters = [] }: WorkloadStatement): boolean {
  return (tryAnalyse(text)?.parameterCount ?? 0) > parameters.length;
}

function completed<T extends WorkloadStatement>(
  given: T,
  tables: TableCatalogue,
  searchPath: readonly string[],
): T {
  const statement: Statement | undefined = tryAnalyse(given.text) ?? undefined;
  const values = statement ? typicalValues(statement, tables, searchPath) : null;
  if (!statement || values === null) return given;
  const parameters = Array.from(
    { length: statement.parameterCount },
    (_, index) => values.get(index + 1) ?? null,
  );
  return { ...given, parameters };
}
