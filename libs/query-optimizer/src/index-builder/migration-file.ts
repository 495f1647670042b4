import { createIndexStatement, parseIndexPlan, placeOf, type IndexPlan } from './index-plan.js';
import { loadAnalyser } from '../analysis/parser.js';
import { formatRelationName } from '../analysis/relation-name.js';

/**
 * The source of a TypeORM migration that makes the indexes, outside of a transaction since PostgreSQL builds none
 * concurrently within one, and that takes them back. An index of a partitioned table cannot be built concurrently in one
 * statement: there writers wait, and a comment says so.
 *
 * @param timestamp milliseconds since 1970: TypeORM runs migrations in their order
 * @throws {InvalidIndexPlanError}
 */
export async function indexMigration(inputs: readonly unknown[], timestamp: number): Promise<string> {
  await loadAnalyser();
  const plans = inputs.map(parseIndexPlan);
  const up = plans.flatMap((plan) => [...plan.prerequisites.map(literal), ...upOf(plan)]);
  const down = [...plans].reverse().map((plan) => literal(downOf(plan)));
  return `import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Indexes that the advisor has recommended. */
export class AddRecommendedIndexes${timestamp} implements MigrationInterface {
  /** CREATE INDEX CONCURRENTLY may not run in one. */
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
${body(up)}
  }

  async down(queryRunner: QueryRunner): Promise<void> {
${body(down)}
  }
}
`;
}

const body = (statements: readonly string[]) =>
  statements
    .map((it) => (it.startsWith('//') ? `    ${it}` : `    await queryRunner.query(${it});`))
    .join('\n');

function upOf(plan: IndexPlan): string[] {
  if (!plan.isPartitioned) return [literal(createIndexStatement(plan, placeOf(plan, 'concurrently')))];
  return [
    '// Partitioned: writers wait until it is built. "npm run optimizer -- apply" builds partition by partition instead.',
    literal(createIndexStatement(plan, placeOf(plan, 'plain'))),
  ];
}

const downOf = ({ table, indexName, isPartitioned }: IndexPlan) =>
  `DROP INDEX ${isPartitioned ? '' : 'CONCURRENTLY '}IF EXISTS ${formatRelationName({ schema: table.schema, name: indexName })}`;

const literal = (statement: string) => JSON.stringify(statement);
