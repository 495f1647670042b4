import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { FeatureFlags } from '@peregrine/config';
import { type DataSource } from 'typeorm';
import { FeatureOverrides, OVERRIDE_REFRESH_MS } from './feature-overrides.js';

Logger.overrideLogger(false);

const ROLLOUTS = {
  cacheEnabled: { percent: 100, scopes: { search: 50 } },
  queryCacheEnabled: 100,
  asyncProcessingEnabled: 100,
  cdnCompressionEnabled: 100,
};

/** The table, and a process that reads it. The statements themselves run in apps/api/e2e/cache.e2e-spec.ts. */
function setUp() {
  const table = { rows: [] as unknown[], error: undefined as Error | undefined, reads: 0 };
  const query = () => {
    table.reads++;
    return table.error ? Promise.reject(table.error) : Promise.resolve(table.rows);
  };
  const flags = new FeatureFlags({ domain: 'test', rollouts: ROLLOUTS });
  const overrides = new FeatureOverrides(flags, { query } as unknown as DataSource);
  return { table, flags, overrides, inForce: () => flags.describe('cacheEnabled').inForce };
}

describe('FeatureOverrides', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('follows the table from the start on, every two seconds', async () => {
    const { table, overrides, inForce } = setUp();
    table.rows = [{ flag: 'cacheEnabled', scope: '', percent: 0 }];
    await overrides.onModuleInit();
    expect(inForce()).toEqual({ percent: 0, scopes: {} });
    table.rows = [{ flag: 'cacheEnabled', scope: 'content', percent: 12.5 }];
    await jest.advanceTimersByTimeAsync(OVERRIDE_REFRESH_MS);
    expect(inForce()).toEqual({ percent: 100, scopes: { search: 50, content: 12.5 } });
    expect(overrides.get('cacheEnabled')).toEqual({ scopes: { content: 12.5 } });
    table.rows = [];
    await jest.advanceTimersByTimeAsync(OVERRIDE_REFRESH_MS);
    expect(inForce()).toEqual(ROLLOUTS.cacheEnabled);
    expect(overrides.get('cacheEnabled')).toBeUndefined();
    await overrides.onApplicationShutdown();
  });

  it('keeps what it has while the database is away, and starts without it', async () => {
    const { table, overrides, inForce } = setUp();
    table.error = new Error('away');
    await overrides.onModuleInit();
    expect(inForce()).toEqual(ROLLOUTS.cacheEnabled);
    table.error = undefined;
    table.rows = [{ flag: 'cacheEnabled', scope: '', percent: 0 }];
    await jest.advanceTimersByTimeAsync(OVERRIDE_REFRESH_MS);
    table.error = new Error('away');
    await jest.advanceTimersByTimeAsync(3 * OVERRIDE_REFRESH_MS);
    expect(inForce()).toEqual({ percent: 0, scopes: {} });
    expect(table.reads).toBe(5);
    await overrides.onApplicationShutdown();
    await jest.advanceTimersByTimeAsync(3 * OVERRIDE_REFRESH_MS);
    expect(table.reads).toBe(5);
  });

  it('passes over a feature that this version does not know', async () => {
    const { table, overrides, inForce } = setUp();
    table.rows = [
      { flag: 'cacheEnabled', scope: '', percent: 1 },
      { flag: 'newerFeature', scope: '', percent: 1 },
    ];
    await overrides.refresh();
    expect(inForce().percent).toBe(1);
  });

  it('shows the rollouts as metrics', () => {
    const { overrides } = setUp();
    const [family] = overrides.collect();
    expect(family).toMatchObject({ name: 'feature_rollout_percent', type: 'gauge' });
    expect(family?.samples).toContainEqual({ labels: { flag: 'cacheEnabled', scope: 'search' }, value: 50 });
    expect(family?.samples).toHaveLength(5);
  });
});
