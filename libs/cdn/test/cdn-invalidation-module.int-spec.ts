import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { CdnInvalidation } from '../src/invalidation/cdn-invalidation.js';
import { createInvalidation } from '../src/invalidation/create-invalidation.js';
import { CdnInvalidationModule } from '../src/nest/cdn-invalidation.module.js';
import { type ProviderOptionsInput } from '../src/providers/provider.options.js';
import { ScriptedServer } from './support/scripted-server.js';

describe('CdnInvalidationModule', () => {
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await ScriptedServer.start(() => ({ status: 200 }));
  });
  afterEach(() => server.stop());
  const providers = (): ProviderOptionsInput[] => [{ type: 'http-purge', urls: [server.url] }];
  const settled = async (invalidation: CdnInvalidation) => {
    while ((await invalidation.getInvalidationHistory()).length === 0) await turn();
  };

  it('gives an application the invalidation, which delivers by itself', async () => {
    const module = await Test.createTestingModule({
      imports: [CdnInvalidationModule.forRoot({ providers: providers() })],
    }).compile();
    await module.init();
    const invalidation = module.get(CdnInvalidation);
    await invalidation.queueInvalidation({ paths: ['/a'] });
    await settled(invalidation);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['PURGE /a']);
    await module.close();
  });

  it('keeps what gets no answer in time, and says so', async () => {
    server.answer = () => 'silence';
    const warned = Promise.withResolvers<string>();
    const { invalidation, close } = createInvalidation({
      ...{ providers: providers(), timeoutMs: 100, warn: warned.resolve },
    });
    await invalidation.invalidateAll();
    expect(await warned.promise).toBe('http-purge: no answer in 100 ms');
    while ((await invalidation.getPendingInvalidations())[0]?.state !== 'pending') await turn();
    expect(await invalidation.getPendingInvalidations()).toMatchObject([
      { attempts: 1, error: 'http-purge: no answer in 100 ms' },
    ]);
    await close();
  });

  it('ends a request under way when the application stops', async () => {
    const asked = new EventTarget();
    server.answer = () => {
      asked.dispatchEvent(new Event('asked'));
      return 'silence';
    };
    const { invalidation, close } = createInvalidation({ providers: providers() });
    const seen = once(asked, 'asked');
    await invalidation.queueInvalidation({ paths: ['/a'] });
    await seen;
    await close();
    expect(await invalidation.getPendingInvalidations()).toMatchObject([{ state: 'pending', attempts: 0 }]);
  });

  it('refuses two providers of one name, and options that it does not know', () => {
    const [one] = providers();
    expect(() => createInvalidation({ providers: [one!, one!] })).toThrow(/two are called http-purge/);
    const misspelled = { providers: [], timeoutMS: 5 } as never;
    expect(() => createInvalidation(misspelled)).toThrow(/timeoutMS/);
  });
});
