import type { DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Cache, CacheModule } from '@peregrine/cache';
import {
  type Caller,
  Callers,
  ConcurrencyGate,
  digestOf,
  KeyGuard,
  type PresentedKey,
  ProtectionModule,
  type ProtectionOptions,
  RateLimits,
  registerProtectionHooks,
  RequiredScope,
  type RouteRule,
} from '@peregrine/runtime';

import { HELLO, timedModule } from './hello-modules.ts';
import { API_KEY } from './hello-servers.ts';

const SCOPE = 'content:read';
RequiredScope(SCOPE)(...HELLO);

const KEY_DIGEST = digestOf(API_KEY);
const HOLDER: Caller = { apiKeyId: '0193e0a0-0000-7000-8000-000000000001', scopes: [SCOPE], expiresAt: null };

/** More than one process can answer, in the shape of the settings' defaults: the burst is the rate of ten seconds. */
const RATE = { ratePerSecond: 100_000, burst: 1_000_000 };

const LIMITS: Omit<ProtectionOptions, 'store'> = {
  policies: {
    key: { name: 'key', ...RATE },
    address: { name: 'address', ...RATE },
    failures: { name: 'failures', ratePerSecond: 0.5, burst: 30 },
  },
  storePrefix: `bench-hello-${process.pid}`,
  storeTimeoutMs: 1_000,
  concurrency: { min: 8, max: 256, maxWaitMs: 1_000 },
};

/** The api's, with a list of one in the place of the table of keys: after the first request it is not asked. */
class HelloGuard extends KeyGuard {
  readonly #callers: Callers;

  constructor(cache: Cache) {
    super();
    const load = (digest: string) => Promise.resolve(digest === KEY_DIGEST ? HOLDER : undefined);
    this.#callers = new Callers(cache.namespace('access'), load);
  }

  protected override holderOf(key: PresentedKey) {
    return this.#callers.holderOf(key);
  }

  protected override check() {
    return undefined;
  }
}

/** Of Fastify, as a service of the runtime has it: the address of a client may be behind proxies. */
export const FASTIFY_OPTIONS = { trustProxy: (_address: string, hop: number) => hop < 0 };

/** With figures, limits over Redis, and API keys. */
export function fullModule(): DynamicModule {
  const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
  const timed = timedModule();
  return {
    ...timed,
    imports: [
      ...(timed.imports ?? []),
      CacheModule.forRoot({ namespaces: { access: { ttlMs: 60_000 } } }),
      ProtectionModule.forRoot({ ...LIMITS, store: { type: 'redis', url } }),
    ],
    providers: [{ provide: APP_GUARD, inject: [Cache], useFactory: (cache: Cache) => new HelloGuard(cache) }],
  };
}

/** The hooks of the api, with the same rule for each route. */
export function protect(app: NestFastifyApplication): void {
  registerProtectionHooks(app.getHttpAdapter().getInstance(), {
    ruleOf: (method, url = 'unmatched'): RouteRule => ({
      kind: `${method} ${url}`,
      cost: 1,
      priority: 'read',
      isLogin: false,
      isExempt: false,
    }),
    rates: app.get(RateLimits, { strict: false }),
    // The clients of a benchmark are on this machine.
    rateLimitLocal: true,
    gate: app.get(ConcurrencyGate, { strict: false }),
    bodyPace: { minBytesPerSecond: 500, graceMs: 10_000 },
    refuse: (error, _request, reply) => void reply.status(500).send(error),
  });
}
