import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { indexUse, listIndexes, recordStatements, type SentStatement } from '@peregrine/database/testing';
import { randomUUID } from 'node:crypto';
import { BudgetService } from '../src/usage/budget.service.js';
import { PriceTable } from '../src/usage/price-table.js';
import { UsageLedger } from '../src/usage/usage-ledger.js';
import { AiFixture } from './support/ai-fixture.js';

/** A row a day, and a row a call under way: what has expired among them is looked for in all. */
const SMALL_TABLES = ['ai_budget_days', 'ai_budget_reservations'];

const MODEL = { model: 'm', validFrom: '1970-01-01', inputUsd: 1, outputUsd: 1, source: 'test' };
const TOKENS = { promptTokens: 1_000_000, cachedPromptTokens: 0, completionTokens: 0 };

describe('the indexes of AI results', () => {
  let fixture: AiFixture;
  let sent: SentStatement[];

  beforeAll(async () => {
    fixture = await AiFixture.start();
    await load(fixture);
    sent = await recordStatements(fixture.dataSource, () => work(fixture));
  }, 120_000);
  afterAll(() => fixture?.stop());

  it('serve every statement, and are each needed by one', async () => {
    const { used, scans } = await indexUse(fixture.dataSource, sent);
    expect(scans.filter((it) => !SMALL_TABLES.includes(it.table))).toEqual([]);
    expect(sent).toHaveLength(5);
    const indexes = (await listIndexes(fixture.dataSource)).filter((it) => it.table.startsWith('ai_'));
    expect(indexes.length).toBeGreaterThan(0);
    expect(indexes.filter((it) => !used.has(it.name))).toEqual([]);
  }, 60_000);
});

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
