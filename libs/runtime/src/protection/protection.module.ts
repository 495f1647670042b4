import { type DynamicModule, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { MetricsService } from '@peregrine/metrics';
import { createRateLimiter, type RateLimiter } from '@peregrine/task-queue';
import { AdaptiveLimit, type AdaptiveLimitOptions } from './concurrency/adaptive-limit.js';
import { ConcurrencyGate, type ConcurrencyGateOptions } from './concurrency/concurrency-gate.js';
import { RateLimits, type RatePolicies } from './rates/rate-limits.js';
import { SharedTokens } from './rates/shared-tokens.js';

const SHARED_LIMITER = Symbol('@peregrine/runtime:shared-limiter');
const LOCAL_LIMITER = Symbol('@peregrine/runtime:local-limiter');

const now = (): number => performance.now();

export interface ProtectionOptions {
  readonly policies: RatePolicies;
  /** Where the tokens of all processes are. */
  readonly store: Parameters<typeof createRateLimiter>[0]['backend'];
  readonly storePrefix: string;
  /** A request waits no longer for it; then its process decides alone. */
  readonly storeTimeoutMs: number;
  readonly concurrency: AdaptiveLimitOptions & ConcurrencyGateOptions;
}

@Injectable()
class ProtectionMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: MetricsService,
    private readonly rates: RateLimits,
    private readonly gate: ConcurrencyGate,
  ) {}

  onModuleInit(): void {
    this.metrics.register(this.rates);
    this.metrics.register(this.gate);
  }
}

/** What keeps an api from being asked for more than it can do: `RateLimits` and `ConcurrencyGate`. */
@Module({})
export class ProtectionModule {
  static forRoot({
    policies,
    store,
    storePrefix,
    storeTimeoutMs,
    concurrency,
  }: ProtectionOptions): DynamicModule {
    const limiter = (backend: ProtectionOptions['store']) =>
      createRateLimiter({ backend, prefix: storePrefix, operationTimeoutMs: storeTimeoutMs });
    return {
      module: ProtectionModule,
      providers: [
        { provide: SHARED_LIMITER, useFactory: () => limiter(store) },
        { provide: LOCAL_LIMITER, useFactory: () => limiter({ type: 'memory' }) },
        {
          provide: RateLimits,
          inject: [SHARED_LIMITER, LOCAL_LIMITER],
          useFactory: (shared: RateLimiter, local: RateLimiter) =>
            new RateLimits(policies, new SharedTokens(shared, local)),
        },
        {
          provide: ConcurrencyGate,
          useFactory: () => new ConcurrencyGate(new AdaptiveLimit(concurrency, now), concurrency, now),
        },
        ProtectionMetrics,
      ],
      exports: [RateLimits, ConcurrencyGate],
    };
  }
}
