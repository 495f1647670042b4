import { afterEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import {
  type FeatureFlagName,
  FeatureFlags,
  FeatureFlagsInvalidOptionsError,
  FeatureFlagsModule,
  type FeatureFlagsOptionsInput,
  UnknownFlagError,
} from '../src/index.js';

const ROLLOUTS = {
  cacheEnabled: 37.5,
  queryCacheEnabled: 0,
  asyncProcessingEnabled: 100,
  cdnCompressionEnabled: 100,
};

const modules: TestingModule[] = [];

async function start(options: FeatureFlagsOptionsInput = { rollouts: ROLLOUTS }): Promise<FeatureFlags> {
  const module = await Test.createTestingModule({ imports: [FeatureFlagsModule.forRoot(options)] }).compile();
  await module.init();
  modules.push(module);
  return module.get(FeatureFlags);
}

afterEach(async () => {
  for (const module of modules.splice(0)) await module.close();
});

describe('FeatureFlags', () => {
  it('answers the same through OpenFeature and directly', async () => {
    const flags = await start();
    for (let index = 0; index < 200; index += 1) {
      const targetingKey = `workspace-${index}`;
      const direct = flags.isEnabled('cacheEnabled', targetingKey);
      expect(await flags.client.getBooleanValue('cacheEnabled', !direct, { targetingKey })).toBe(direct);
    }
    expect(await flags.client.getBooleanValue('cacheEnabled', false)).toBe(flags.isEnabled('cacheEnabled'));
    expect(flags.isEnabled('queryCacheEnabled')).toBe(false);
    expect(flags.isEnabled('asyncProcessingEnabled')).toBe(true);
  });

  it('gives a part of a feature its own rollout, the same way through OpenFeature', async () => {
    const cacheEnabled = { percent: 0, scopes: { content: 100, search: 50 } };
    const flags = await start({ rollouts: { ...ROLLOUTS, cacheEnabled } });
    expect(flags.isEnabled('cacheEnabled', 'k', 'content')).toBe(true);
    expect(flags.isEnabled('cacheEnabled', 'k', 'query')).toBe(false);
    for (let index = 0; index < 100; index += 1) {
      const targetingKey = `key-${index}`;
      const direct = flags.isEnabled('cacheEnabled', targetingKey, 'search');
      const context = { targetingKey, scope: 'search' };
      expect(await flags.client.getBooleanValue('cacheEnabled', !direct, context)).toBe(direct);
    }
  });

  it('follows an override at once and returns from it, and tells OpenFeature', async () => {
    const configured = { percent: 100, scopes: { search: 0 } };
    const flags = await start({ rollouts: { ...ROLLOUTS, cacheEnabled: configured } });
    const changed: unknown[] = [];
    flags.client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
      changed.push(event?.flagsChanged);
    });
    const answers = () =>
      ['content', 'search', 'query'].map((scope) => flags.isEnabled('cacheEnabled', 'k', scope));
    expect(answers()).toEqual([true, false, true]);
    flags.override('cacheEnabled', { scopes: { content: 0 } });
    expect(answers()).toEqual([false, false, true]);
    flags.override('cacheEnabled', { percent: 0, scopes: { query: 100 } });
    expect(answers()).toEqual([false, false, true]);
    flags.override('cacheEnabled', { percent: 100 });
    expect(answers()).toEqual([true, true, true]);
    expect(flags.describe('cacheEnabled')).toEqual({ configured, inForce: { percent: 100, scopes: {} } });
    flags.override('cacheEnabled', undefined);
    expect(answers()).toEqual([true, false, true]);
    expect(flags.describe('cacheEnabled').inForce).toEqual(configured);
    expect(changed).toEqual(Array.from({ length: 4 }, () => ['cacheEnabled']));
  });

  it('throws for a flag that nobody defined', async () => {
    const flags = await start();
    expect(() => flags.isEnabled('cacheEnabeld' as FeatureFlagName)).toThrow(UnknownFlagError);
    expect(() => flags.override('cacheEnabeld' as FeatureFlagName, undefined)).toThrow(UnknownFlagError);
  });

  it('is gone from OpenFeature after the application closed', async () => {
    const flags = await start();
    expect(await flags.client.getBooleanValue('asyncProcessingEnabled', false)).toBe(true);
    await modules.pop()?.close();
    expect(await flags.client.getBooleanValue('asyncProcessingEnabled', false)).toBe(false);
  });

  it('leaves a provider alone that has taken over its domain', async () => {
    await start();
    const second = await start();
    await modules.shift()?.close();
    expect(await second.client.getBooleanValue('asyncProcessingEnabled', false)).toBe(true);
  });

  it('touches no other domain', async () => {
    await start();
    expect(await OpenFeature.getClient('elsewhere').getBooleanValue('asyncProcessingEnabled', false)).toBe(
      false,
    );
  });

  it('refuses a rollout above 100 % and an unknown flag', async () => {
    await expect(start({ rollouts: { ...ROLLOUTS, cacheEnabled: 101 } })).rejects.toThrow(
      FeatureFlagsInvalidOptionsError,
    );
    const unknown = { ...ROLLOUTS, cacheEnabeld: 1 };
    await expect(start({ rollouts: unknown })).rejects.toThrow(/cacheEnabeld/);
  });
});
