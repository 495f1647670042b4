import { type DynamicModule, type InjectionToken, Module, type Provider } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { DataSource } from 'typeorm';
import { AiLifecycle } from './ai.lifecycle.js';
import {
  AI_CACHE_NAMESPACES,
  AI_OPTIONS,
  type AiOptions,
  type AiOptionsInput,
  aiOptionsSchema,
} from './ai.options.js';
import { EMBEDDINGS } from './ai.tokens.js';
import { AnalyseBatchHandler } from './analysis/analyse-batch.handler.js';
import { AnalysisService } from './analysis/analysis.service.js';
import { ModelAnalyser } from './analysis/model-analyser.js';
import { StaticAnalyser } from './analysis/static-analyser.js';
import { ChatService } from './chat/chat.service.js';
import { ChatUpstream } from './chat/chat-upstream.js';
import { ProviderClient } from './client/provider-client.js';
import { EmbeddingMemory } from './embeddings/embedding-memory.js';
import { EmbeddingsService } from './embeddings/embeddings.service.js';
import { HashingModel } from './embeddings/hashing-model.js';
import { ProviderEmbeddingModel } from './embeddings/provider-embedding-model.js';
import { CacheKeyGenerator } from './keys/cache-key-generator.js';
import { SemanticReuse } from './semantic/semantic-reuse.js';
import { AiMetrics } from './usage/ai-metrics.js';
import { AiStatisticsService } from './usage/ai-statistics.service.js';
import { BudgetService } from './usage/budget.service.js';
import { PriceTable } from './usage/price-table.js';
import { UsageLedger } from './usage/usage-ledger.js';

/** Whether a key of a namespace may be cached: the same as the cache's own. */
export type CacheSwitch = (namespace: string, key: string) => boolean;

export interface AiModuleOptions extends AiOptionsInput {
  /** A provider that brings the switch. @default everything may be cached */
  cacheSwitch?: {
    readonly inject: readonly InjectionToken[];
    readonly useFactory: (...args: never[]) => CacheSwitch;
  };
}

const CACHE_SWITCH = Symbol('@peregrine/ai:cache-switch');

/** What the library is made of, once for a process. */
export class AiParts {
  readonly keys: CacheKeyGenerator;
  readonly prices: PriceTable;
  readonly ledger: UsageLedger;
  readonly budget: BudgetService;
  readonly memory: EmbeddingMemory;
  readonly client: ProviderClient | undefined;
  readonly upstream: ChatUpstream | undefined;
  readonly localAnalyser: StaticAnalyser | undefined;
  readonly embeddings: EmbeddingsService;
  readonly analyses: AnalysisService;
  readonly semantic: SemanticReuse | undefined;
  readonly chat: ChatService;

  constructor(options: AiOptions, cache: Cache, dataSource: DataSource, enabled: CacheSwitch) {
    const { provider } = options;
    this.keys = new CacheKeyGenerator({ remembered: options.rememberedKeys });
    this.ledger = new UsageLedger(dataSource);
    this.memory = new EmbeddingMemory({ ...options.memory, namespace: AI_CACHE_NAMESPACES.embeddings });
    this.client = provider && new ProviderClient(provider);
    const hashing = new HashingModel();
    this.localAnalyser =
      options.analyser === 'local' ? new StaticAnalyser({ timeoutMs: options.analysisTimeoutMs }) : undefined;
    this.prices = pricesOf(options, [hashing.name, ...(this.localAnalyser ? [this.localAnalyser.name] : [])]);
    this.budget = new BudgetService(dataSource, this.prices, { dailyBudgetUsd: options.dailyBudgetUsd });
    this.upstream = this.client && new ChatUpstream(this.client, this.budget);
    const shared = { keys: this.keys, usage: this.ledger };
    const results = cache.namespace(AI_CACHE_NAMESPACES.results);
    const source =
      this.client && provider?.embeddingModel
        ? new ProviderEmbeddingModel(
            this.client,
            this.budget,
            provider.embeddingModel,
            provider.embeddingDimensions,
          )
        : hashing;
    this.embeddings = new EmbeddingsService({
      ...shared,
      ...{ source, memory: this.memory, cached: cache.namespace(AI_CACHE_NAMESPACES.embeddings) },
      enabled: (key) => enabled(AI_CACHE_NAMESPACES.embeddings, key),
    });
    this.analyses = new AnalysisService({ ...shared, cached: results, analyser: this.#analyser(provider) });
    const live = cache.namespace(AI_CACHE_NAMESPACES.live);
    this.semantic =
      options.semanticReuse &&
      new SemanticReuse({
        ...{ options: options.semanticReuse, embeddings: this.embeddings },
        ...{ keys: this.keys, cached: results },
      });
    const { upstream, semantic } = this;
    this.chat = new ChatService({ ...shared, provider, upstream, cached: results, live, semantic });
  }

  #analyser(provider: AiOptions['provider']) {
    if (this.localAnalyser) return this.localAnalyser;
    // The rule of the options: this analyser has a provider with a chat model.
    return new ModelAnalyser(
      this.upstream as ChatUpstream,
      provider?.chatModel ?? '',
      provider?.baseUrl ?? '',
    );
  }
}

const part = <T>(token: unknown, of: (parts: AiParts) => T): Provider => ({
  provide: token as symbol,
  inject: [AiParts],
  useFactory: of,
});

/**
 * Analyses, embeddings and chat behind exact keys. Needs `DatabaseModule`, `CacheModule` with the namespaces
 * `AI_CACHE_NAMESPACES`, and `TaskQueueModule` as global modules, and the tables of the migrations.
 */
@Module({})
export class AiModule {
  static forRoot({ cacheSwitch, ...input }: AiModuleOptions = {}): DynamicModule {
    const options = aiOptionsSchema.parse(input);
    const services: Provider[] = [
      part(EmbeddingsService, (it) => it.embeddings),
      part(EMBEDDINGS, (it) => it.embeddings),
      part(AnalysisService, (it) => it.analyses),
      part(ChatService, (it) => it.chat),
      part(AiStatisticsService, (it) => new AiStatisticsService(it.ledger, it.prices)),
      part(AiMetrics, (it) => new AiMetrics(it)),
      part(CacheKeyGenerator, (it) => it.keys),
    ];
    return {
      module: AiModule,
      providers: [
        { provide: AI_OPTIONS, useValue: options },
        {
          provide: CACHE_SWITCH,
          inject: [...(cacheSwitch?.inject ?? [])],
          useFactory: cacheSwitch?.useFactory ?? (() => () => true),
        },
        {
          provide: AiParts,
          inject: [Cache, DataSource, CACHE_SWITCH],
          useFactory: (cache: Cache, dataSource: DataSource, enabled: CacheSwitch) =>
            new AiParts(options, cache, dataSource, enabled),
        },
        part(AiLifecycle, (it) => new AiLifecycle({ ...it, analyser: it.localAnalyser })),
        ...services,
        AnalyseBatchHandler,
      ],
      exports: services.map((it) => (it as { provide: symbol }).provide),
    };
  }
}

/** What is made here costs nothing, which is not the same as a price that is not known. */
function pricesOf({ prices }: AiOptions, localModels: readonly string[]): PriceTable {
  const free = { validFrom: '1970-01-01', inputUsd: 0, outputUsd: 0, source: 'made here' };
  const own = prices.map(({ cachedInputUsd, ...it }) => ({
    ...it,
    ...(cachedInputUsd === undefined ? {} : { cachedInputUsd }),
  }));
  return new PriceTable([...own, ...localModels.map((model) => ({ model, ...free }))]);
}
