import { describe, expect, it } from '@jest/globals';
import { EnvironmentFlagProvider } from './environment-flag.provider.js';
import { bucketOf } from './evaluate-flag.js';

const provider = new EnvironmentFlagProvider({ on: 100, off: 0, half: 50 });

describe('EnvironmentFlagProvider', () => {
  it('says static for a flag that is on or off for all', async () => {
    expect(await provider.resolveBooleanEvaluation('on', false, {})).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'STATIC',
    });
    expect(await provider.resolveBooleanEvaluation('off', true, { targetingKey: 'k' })).toMatchObject({
      value: false,
      variant: 'off',
      reason: 'STATIC',
    });
  });

  it('answers a rollout by the targeting key, and without one as for the empty key', async () => {
    const keyed = await provider.resolveBooleanEvaluation('half', false, { targetingKey: 'workspace-1' });
    expect(keyed).toMatchObject({ value: provider.evaluate('half', 'workspace-1'), reason: 'SPLIT' });
    const keyless = await provider.resolveBooleanEvaluation('half', false, {});
    expect(keyless).toMatchObject({
      value: provider.evaluate('half', ''),
      flagMetadata: { targetingKeyMissing: true },
    });
  });

  it('gives the default value for an unknown flag', async () => {
    for (const flag of ['nope', '__proto__', 'constructor']) {
      expect(await provider.resolveBooleanEvaluation(flag, true, {})).toMatchObject({
        value: true,
        reason: 'ERROR',
        errorCode: 'FLAG_NOT_FOUND',
      });
    }
  });

  it('gives the default value for a type other than boolean', async () => {
    const mismatch = { reason: 'ERROR', errorCode: 'TYPE_MISMATCH' };
    expect(await provider.resolveStringEvaluation('on', 'a')).toMatchObject({ value: 'a', ...mismatch });
    expect(await provider.resolveNumberEvaluation('on', 7)).toMatchObject({ value: 7, ...mismatch });
    expect(await provider.resolveObjectEvaluation('on', { a: 1 })).toMatchObject({
      value: { a: 1 },
      ...mismatch,
    });
    expect(await provider.resolveStringEvaluation('nope', 'a')).toMatchObject({
      errorCode: 'FLAG_NOT_FOUND',
    });
  });

  it('puts keys into the same buckets in every version', () => {
    const keys = ['', 'workspace-1', 'workspace-2', 'ключ', '🦅'];
    expect(keys.map((key) => bucketOf('cacheEnabled', key))).toEqual([3042, 9075, 2659, 209, 9000]);
    expect(bucketOf('cacheEnabled', '1', 'workspace')).toBe(bucketOf('cacheEnabled', 'workspace:1'));
  });
});
