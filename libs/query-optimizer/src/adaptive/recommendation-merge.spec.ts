import { describe, expect, it } from '@jest/globals';

import { mergeInto } from './recommendation-merge.js';
import { type RecommendationFigures } from './recommendation-store.js';
import { type RecommendationState, type StoredRecommendation } from './stored-recommendation.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 15);
const LIMITS = { retryAfterDays: 14, retryFailedMs: 3_600_000 };
const query = (statement: string) => ({
  statement,
  sql: statement,
  calls: 1,
  totalMs: 1,
  before: 9,
  after: 1,
});
const made = (statements: readonly string[], sizeBytes = 100) =>
  ({ id: 'a', sizeBytes, serves: statements.map(query) }) as unknown as RecommendationFigures;
const known = (state: RecommendationState, agoMs: number) =>
  ({
    ...made(['one', 'two']),
    state,
    decision: 'as it was',
    decidedAt: new Date(NOW - agoMs),
  }) as unknown as StoredRecommendation;
const merged = (state: RecommendationState, agoMs: number, it = made(['one', 'two'])) =>
  mergeInto(known(state, agoMs), it, LIMITS, NOW);

describe('a recommendation that is made again', () => {
  it('is open when it is new, or was forgotten', () => {
    expect(mergeInto(undefined, made(['one']), LIMITS, NOW)).toEqual({ action: 'open', decision: null });
    expect(merged('obsolete', 0)).toEqual({ action: 'open', decision: null });
    expect(merged('open', 0)).toEqual({ action: 'open', decision: 'as it was' });
  });

  it('stays as it is when it was built', () => {
    expect(merged('kept', 99 * DAY_MS)).toEqual({ action: 'leave' });
  });

  it.each(['dropped', 'reverted'] as const)('rests for its days when it was %s', (state) => {
    expect(merged(state, 14 * DAY_MS - 1)).toEqual({ action: 'leave' });
    expect(merged(state, 14 * DAY_MS)).toEqual({
      action: 'open',
      decision: 'Will be tried again. The last time: as it was',
    });
    expect(merged(state, 0, made(['one']))).toEqual({ action: 'leave' });
  });

  it('does not rest when it is for other statements, or its table has grown', () => {
    expect(merged('dropped', 0, made(['two', 'three']))).toMatchObject({
      decision: expect.stringMatching(/^The workload changed: it is for 1 more statements\. /),
    });
    expect(merged('reverted', 0, made(['one'], 199))).toEqual({ action: 'leave' });
    expect(merged('reverted', 0, made(['one'], 200))).toMatchObject({
      decision: expect.stringMatching(/^The workload changed: its table has grown\. /),
    });
  });

  it('rests for a shorter time when it could not be built', () => {
    expect(merged('failed', LIMITS.retryFailedMs - 1)).toEqual({ action: 'leave' });
    expect(merged('failed', LIMITS.retryFailedMs)).toMatchObject({ action: 'open' });
  });
});
