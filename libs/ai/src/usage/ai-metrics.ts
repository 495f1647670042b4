import { type EmbeddingMemory } from '../embeddings/embedding-memory.js';
import { type ProviderClient } from '../client/provider-client.js';
import { type SemanticReuse } from '../semantic/semantic-reuse.js';
import { summarise } from './ai-statistics.service.js';
import { type BudgetService } from './budget.service.js';
import { dayOf, NANO, type PriceTable } from './price-table.js';
import { type UsageLedger } from './usage-ledger.js';

/** One figure with its labels. */
export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Figures of one name, as the platform's metrics take them. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly MetricSample[];
}

export interface AiMetricsDependencies {
  readonly ledger: UsageLedger;
  readonly prices: PriceTable;
  readonly budget: BudgetService;
  readonly memory: EmbeddingMemory;
  readonly client: ProviderClient | undefined;
  readonly semantic: SemanticReuse | undefined;
}

/** What this process has used and saved since its start. */
export class AiMetrics {
  readonly name = 'ai';

  constructor(private readonly parts: AiMetricsDependencies) {}

  collect(): MetricFamily[] {
    const { ledger, prices, budget, memory, client, semantic } = this.parts;
    const rows = ledger.totals();
    const today = dayOf(new Date());
    const worth = summarise(
      rows.map((it) => ({ ...it, day: today })),
      prices,
    );
    const labelled = (of: (row: (typeof rows)[number]) => number): MetricSample[] =>
      [...new Set(rows.map((it) => `${it.kind}\n${it.outcome}`))].map((key) => {
        const [kind = '', outcome = ''] = key.split('\n');
        const matching = rows.filter((it) => it.kind === kind && it.outcome === outcome);
        return { labels: { kind, outcome }, value: matching.reduce((sum, it) => sum + of(it), 0) };
      });
    return [
      counter('ai_results_total', 'AI results, of embeddings one an input', ...labelled((it) => it.results)),
      counter(
        'ai_tokens_total',
        'Tokens that AI results have or would have cost',
        ...labelled((it) => it.promptTokens + it.completionTokens),
      ),
      counter('ai_spent_usd_total', 'US dollars spent on calls of models with a price', {
        value: budget.counters.spentNanoUsd / NANO,
      }),
      counter(
        'ai_saved_usd_total',
        'US dollars that results did not cost, by the prices of today',
        ...[
          { labels: { by: 'hit' }, value: worth.savedUsd },
          { labels: { by: 'coalescing' }, value: worth.coalescedUsd },
          { labels: { by: 'semantic-reuse' }, value: worth.semanticUsd },
        ],
      ),
      counter('ai_unpriced_calls_total', 'Paid calls of models without a price', {
        value: budget.counters.unpricedCalls,
      }),
      counter('ai_budget_refusals_total', 'Calls that the daily budget did not cover', {
        value: budget.counters.refusedCalls,
      }),
      counter('ai_suspect_usages_total', 'Calls with counts of the provider that could not be true', {
        value: budget.counters.suspectUsages,
      }),
      counter('ai_provider_retries_total', 'Attempts beyond the first at the provider', {
        value: client?.retries ?? 0,
      }),
      gauge('ai_embedding_memory_entries', 'Embeddings in the memory of this process', memory.entries),
      gauge(
        'ai_embedding_memory_bytes',
        'Bytes of the embeddings in the memory of this process',
        memory.bytes,
      ),
      counter(
        'ai_semantic_failures_total',
        'Questions that could not be compared with others, and went to the provider',
        { value: semantic?.failures ?? 0 },
      ),
      gauge(
        'ai_semantic_questions',
        'Questions in the memory of this process whose replies may answer others',
        semantic?.questions ?? 0,
      ),
    ];
  }
}

function counter(name: string, help: string, ...samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ value }] };
}
