import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { chatRequestSchema } from '../src/chat/chat-request.js';
import { AiStatisticsService } from '../src/usage/ai-statistics.service.js';
import { AiMetrics } from '../src/usage/ai-metrics.js';
import { AiFixture, type Member } from './support/ai-fixture.js';

jest.setTimeout(120_000);

let fixture: AiFixture;
let questions = 0;
const request = (more: object = {}) =>
  chatRequestSchema.parse({
    messages: [{ role: 'user', content: `Question ${++questions}` }],
    temperature: 0,
    max_tokens: 1_000,
    ...more,
  });
const ask = async (member: Member, it = request()) =>
  (await member.chat.open(it, { tenant: 'a' })).completion();
const budgetRow = async () => {
  const [row] = await fixture.dataSource.query<{ reserved: string; spent: string }[]>(
    'SELECT reserved_nano_usd AS reserved, spent_nano_usd AS spent FROM ai_budget_days',
  );
  return { reserved: Number(row?.reserved ?? 0), spent: Number(row?.spent ?? 0) };
};

beforeAll(async () => {
  fixture = await AiFixture.start();
});
afterEach(async () => {
  fixture.provider.reset();
  await fixture.dataSource.query('TRUNCATE ai_usage, ai_budget_days, ai_budget_reservations');
});
afterAll(() => fixture.stop());

describe('the daily budget', () => {
  // A call reserves 1,000 tokens of 0.6 USD a million, and a little for its prompt; it costs a hundredth of that.
  const dailyBudgetUsd = 0.001;

  it('is kept by all processes together: calls at the same time never start what it does not cover', async () => {
    const members = [fixture.member({ dailyBudgetUsd }), fixture.member({ dailyBudgetUsd })];
    fixture.provider.hold();
    const asked = Array.from({ length: 6 }, (_, index) => ask(members[index % 2] as Member));
    const settled = Promise.allSettled(asked);
    const refused = await Promise.any(
      asked.map((it) =>
        it.then(
          () => Promise.reject(new Error()),
          (e: unknown) => e,
        ),
      ),
    );
    expect(refused).toMatchObject({ code: 'AI_BUDGET_EXCEEDED', dailyBudgetUsd });
    fixture.provider.release();
    await settled;
    expect(fixture.provider.calls.length).toBeGreaterThan(0);
    const { reserved, spent } = await budgetRow();
    expect(reserved).toBe(0);
    expect(spent).toBeGreaterThan(0);
    expect(spent).toBeLessThan(1_000_000);
  });

  it('gives back what a failed call and a process that died have reserved', async () => {
    const member = fixture.member({ dailyBudgetUsd, provider: { maxAttempts: 1 } });
    fixture.provider.fail({ status: 500 });
    await expect(ask(member)).rejects.toMatchObject({ code: 'AI_PROVIDER_FAILED' });
    expect(await budgetRow()).toEqual({ reserved: 0, spent: 0 });
    await fixture.dataSource.query('UPDATE ai_budget_days SET reserved_nano_usd = 900000');
    await fixture.dataSource.query(
      `INSERT INTO ai_budget_reservations SELECT gen_random_uuid(), day, 900000, now() - interval '1 s' FROM ai_budget_days`,
    );
    await ask(member);
    expect((await budgetRow()).reserved).toBe(0);
  });

  it('refuses models whose price is not known, unless it is told', async () => {
    const provider = { chatModel: 'my-model' };
    await expect(ask(fixture.member({ dailyBudgetUsd: 1, provider }))).rejects.toThrow('AI_MODEL_PRICES');
    expect(fixture.provider.calls).toHaveLength(0);
    const price = {
      model: 'my-model',
      validFrom: '2026-01-01',
      inputUsd: 1,
      outputUsd: 2,
      source: 'contract',
    };
    await ask(fixture.member({ dailyBudgetUsd: 1, provider, prices: [price] }));
  });

  it('books what broke off as far as it came', async () => {
    const member = fixture.member({ dailyBudgetUsd: 1 });
    fixture.provider.fail({ errorAfter: 4 });
    await expect(ask(member)).rejects.toMatchObject({ code: 'AI_STREAM_BROKEN' });
    expect((await budgetRow()).spent).toBeGreaterThan(0);
  });

  it('does not stand before what is cached', async () => {
    const rich = fixture.member({ dailyBudgetUsd: 1 });
    const asked = request();
    await ask(rich, asked);
    expect(await ask(fixture.member({ dailyBudgetUsd: 0 }), asked)).toMatchObject({
      object: 'chat.completion',
    });
  });
});

describe('retries', () => {
  it.each([
    ['429 that heals', { status: 429, code: 'rate_limit_exceeded', headers: { 'retry-after-ms': '5' } }, 2],
    ['503', { status: 503, headers: { 'retry-after-ms': '5' } }, 2],
    [
      '400 that should be retried',
      { status: 400, headers: { 'x-should-retry': 'true', 'retry-after-ms': '5' } },
      2,
    ],
  ])('a %s is tried again', async (_, fault, calls) => {
    fixture.provider.fail(fault);
    await ask(fixture.member());
    expect(fixture.provider.calls).toHaveLength(calls);
  });

  it.each([
    [
      'without quota',
      { status: 429, code: 'insufficient_quota', headers: { 'retry-after-ms': '5' } },
      'AI_QUOTA_EXHAUSTED',
    ],
    ['that is refused', { status: 400, code: 'invalid_request' }, 'AI_REQUEST_REFUSED'],
    ['with a wrong key', { status: 401, code: 'invalid_api_key' }, 'AI_PROVIDER_ACCESS'],
    [
      'that must not be retried',
      { status: 500, headers: { 'x-should-retry': 'false' } },
      'AI_PROVIDER_FAILED',
    ],
    ['that would wait too long', { status: 429, headers: { 'retry-after': '3600' } }, 'AI_RATE_LIMITED'],
  ])('a call %s is made once', async (_, fault, code) => {
    fixture.provider.fail(fault);
    const error = await ask(fixture.member()).catch((it: unknown) => it);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('test-key');
    expect(fixture.provider.calls).toHaveLength(1);
  });

  it('end after as many attempts as are set', async () => {
    const again = { status: 503, headers: { 'retry-after-ms': '1' } };
    fixture.provider.fail(again, again, again);
    await expect(ask(fixture.member({ provider: { maxAttempts: 3 } }))).rejects.toThrow(
      'answered 503 (3 attempts)',
    );
  });
});

describe('the ledger', () => {
  it('counts hits apart from shared calls, in tokens and dollars, over processes and restarts', async () => {
    const [one, two] = [fixture.member(), fixture.member()];
    const asked = request();
    await Promise.all([ask(one, asked), ask(one, asked)]);
    await ask(two, asked);
    await one.ledger.flush();
    const reading = fixture.member();
    await two.ledger.flush();
    const statistics = await new AiStatisticsService(reading.ledger, reading.prices).read(1);
    expect(statistics).toMatchObject({
      results: { paid: 1, hit: 1, coalesced: 1, semantic: 0 },
      callsSaved: 2,
      hitRate: 1 / 3,
      unpricedResults: 0,
      models: [{ kind: 'chat', model: 'gpt-4o-mini', suspects: 0 }],
    });
    expect(statistics.spentUsd).toBeGreaterThan(0);
    expect(statistics.savedUsd).toBeCloseTo(statistics.spentUsd, 9);
    expect(statistics.coalescedUsd).toBeCloseTo(statistics.spentUsd, 9);
  });

  it('never takes a model without a price for free', async () => {
    const member = fixture.member({ provider: { chatModel: 'my-model' } });
    const asked = request();
    await ask(member, asked);
    await ask(member, asked);
    const statistics = await new AiStatisticsService(member.ledger, member.prices).read(1);
    expect(statistics).toMatchObject({
      unpricedResults: 2,
      savedUsd: 0,
      models: [{ spentUsd: null, savedUsd: null }],
    });
  });

  it('shows this process in metrics', async () => {
    const member = fixture.member();
    const asked = request();
    await ask(member, asked);
    await ask(member, asked);
    const families = new AiMetrics(member).collect();
    const samples = families.find((it) => it.name === 'ai_results_total')?.samples;
    expect(samples).toEqual([
      { labels: { kind: 'chat', outcome: 'paid' }, value: 1 },
      { labels: { kind: 'chat', outcome: 'hit' }, value: 1 },
    ]);
    for (const { name } of families) expect(name).toMatch(/^ai_[a-z_]+$/);
  });
});
