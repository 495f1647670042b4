import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type Logger } from 'typeorm';
import { BudgetService } from '../src/usage/budget.service.js';
import { PriceTable } from '../src/usage/price-table.js';
import { UsageLedger } from '../src/usage/usage-ledger.js';
import { AiFixture } from './support/ai-fixture.js';

/** A row a day, and a row a call under way: what has expired among them is looked for in all. */
const SMALL_TABLES = ['ai_budget_days', 'ai_budget_reservations'];

const MODEL = { model: 'm', validFrom: '1970-01-01', inputUsd: 1, outputUsd: 1, source: 'test' };
const TOKENS = { promptTokens: 1_000_000, cachedPromptTokens: 0, completionTokens: 0 };

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Conflict Arbiter Indexes'?: readonly string[];
  readonly Plans?: readonly PlanNode[];
}

describe('the indexes of AI results', () => {
  let fixture: AiFixture;
  const asked = new Map<string, readonly unknown[]>();

  beforeAll(async () => {
    fixture = await AiFixture.start();
    await load(fixture);
    const before = fixture.dataSource.logger;
    fixture.dataSource.logger = recorder(asked);
    await work(fixture);
    fixture.dataSource.logger = before;
  }, 120_000);
  afterAll(() => fixture?.stop());

  it('serve every statement, and are each needed by one', async () => {
    const used = new Set<string>();
    const scans: string[] = [];
    for (const [sql, parameters] of asked) {
      for (const node of await nodesOf(fixture, sql, parameters)) {
        const table = node['Relation Name'] ?? '';
        if (node['Node Type'] === 'Seq Scan' && !SMALL_TABLES.includes(table)) scans.push(`${table}: ${sql}`);
        for (const name of [node['Index Name'], ...(node['Conflict Arbiter Indexes'] ?? [])])
          if (name !== undefined) used.add(name);
      }
    }
    const indexes = await fixture.dataSource.query<{ name: string }[]>(
      `SELECT indexname AS name FROM pg_indexes WHERE tablename ~ '^ai_' ORDER BY 1`,
    );
    expect(scans).toEqual([]);
    expect(asked.size).toBe(5);
    expect(indexes.length).toBeGreaterThan(0);
    expect(indexes.map((it) => it.name).filter((it) => !used.has(it))).toEqual([]);
  }, 60_000);
});

async function nodesOf(
  { dataSource }: AiFixture,
  sql: string,
  parameters: readonly unknown[],
): Promise<PlanNode[]> {
  const [row] = await dataSource.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }[]>(
    `EXPLAIN (FORMAT JSON) ${sql}`,
    [...parameters],
  );
  const walk = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(walk)];
  return (row?.['QUERY PLAN'] ?? []).flatMap((it) => walk(it.Plan));
}

/** Three years of 20 models, and the calls of a busy moment. */
async function load({ dataSource }: AiFixture): Promise<void> {
  const statements = [
    `INSERT INTO ai_usage SELECT current_date - d, k, 'model-' || m, o, 1, 1, 0, 1, 0
       FROM generate_series(0, 1095) d, generate_series(1, 20) m, unnest('{analysis,embedding,chat}'::text[]) k,
            unnest('{paid,hit}'::text[]) o`,
    `INSERT INTO ai_budget_days (day) SELECT current_date - d FROM generate_series(0, 1095) d`,
    `INSERT INTO ai_budget_reservations SELECT gen_random_uuid(), current_date, 0, now() + interval '1 hour'
       FROM generate_series(1, 2000)`,
    'VACUUM ANALYZE ai_usage, ai_budget_days, ai_budget_reservations',
  ];
  for (const it of statements) await dataSource.query(it);
}

/** Every statement of the library, by those who send them: a call that is paid, one that the budget refuses, and the statistics. */
async function work({ dataSource }: AiFixture): Promise<void> {
  const budget = new BudgetService(dataSource, new PriceTable([MODEL]), { dailyBudgetUsd: 1.5 });
  const call = () => Promise.resolve({ result: randomUUID(), usage: { ...TOKENS, suspect: false } });
  await budget.spend('m', TOKENS, call);
  await expect(budget.spend('m', TOKENS, call)).rejects.toMatchObject({ code: 'AI_BUDGET_EXCEEDED' });
  const ledger = new UsageLedger(dataSource);
  ledger.record({ kind: 'chat', model: 'm', outcome: 'paid', results: 1, ...TOKENS });
  await ledger.rows(new Date().toISOString().slice(0, 10));
}

function recorder(asked: Map<string, readonly unknown[]>): Logger {
  const nothing = () => undefined;
  return {
    logQuery: (sql, parameters: readonly unknown[] = []) => {
      if (/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(sql)) asked.set(sql, parameters);
    },
    ...{ logQueryError: nothing, logQuerySlow: nothing, logSchemaBuild: nothing, logMigration: nothing },
    log: nothing,
  };
}
