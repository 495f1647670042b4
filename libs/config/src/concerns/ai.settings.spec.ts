import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../settings/load-settings.js';
import { aiSettings } from './ai.settings.js';

const load = (environment: Record<string, string>) => loadSettings({ ai: aiSettings }, environment).ai;

describe('the AI settings', () => {
  it('need nothing', () => {
    expect(load({})).toMatchObject({ baseUrl: undefined, analysis: 'local', embeddingDimensions: 1_536 });
  });

  it('read prices and the budget', () => {
    const { modelPrices, dailyBudgetUsd } = load({
      AI_MODEL_PRICES: 'my-model=0.5/1.5, org/other:free=0/0',
      AI_DAILY_BUDGET_USD: '0.25',
    });
    expect(dailyBudgetUsd).toBe(0.25);
    expect(modelPrices).toEqual([
      { model: 'my-model', inputUsd: 0.5, outputUsd: 1.5 },
      { model: 'org/other:free', inputUsd: 0, outputUsd: 0 },
    ]);
  });

  it('reuse replies for near questions only when told to', () => {
    expect(load({}).semanticReuse).toBeUndefined();
    expect(load({ AI_SEMANTIC_REUSE: '0.97' }).semanticReuse).toBe(0.97);
  });

  it.each([
    [{ AI_CHAT_MODEL: 'm' }, 'AI_BASE_URL'],
    [{ AI_BASE_URL: 'https://ai.example/v1', AI_ANALYSIS: 'model' }, 'AI_CHAT_MODEL'],
    [{ AI_DAILY_BUDGET_USD: 'much' }, 'AI_DAILY_BUDGET_USD'],
    [{ AI_MODEL_PRICES: 'my-model' }, 'AI_MODEL_PRICES'],
    [{ AI_SEMANTIC_REUSE: '0.5' }, 'AI_SEMANTIC_REUSE'],
    [{ AI_SEMANTIC_REUSE: 'on' }, 'AI_SEMANTIC_REUSE'],
  ])('refuse %j', (environment: Record<string, string>, variable) => {
    expect(() => load(environment)).toThrow(variable);
  });
});
