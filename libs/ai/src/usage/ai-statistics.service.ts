import { type AiResultKind } from '../keys/ttl-policies.js';
import { dayOf, NANO, type PriceTable } from './price-table.js';
import { type UsageOutcome } from './usage-event.js';
import { type UsageLedger, type UsageRow } from './usage-ledger.js';

const DAY_MS = 86_400_000;

/** Results by the way they came. */
export interface ResultCounts {
  readonly paid: number;
  readonly hit: number;
  readonly coalesced: number;
  /** Replies to other questions that say nearly the same. */
  readonly semantic: number;
}

/** What one model was asked for, and what was saved. */
export interface ModelUsage {
  readonly kind: AiResultKind;
  readonly model: string;
  readonly results: ResultCounts;
  readonly paidTokens: number;
  readonly savedTokens: number;
  /** Null: the price of the model is not known. */
  readonly spentUsd: number | null;
  /** By hits. */
  readonly savedUsd: number | null;
  /** By sharing calls under way. */
  readonly coalescedUsd: number | null;
  /** By replies to other questions. */
  readonly semanticUsd: number | null;
  /** Results with counts of the provider that could not be true. */
  readonly suspects: number;
}

/** What all processes together have used and saved since a day. */
export interface AiStatistics {
  /** UTC, `YYYY-MM-DD`. */
  readonly since: string;
  readonly results: ResultCounts;
  /** Calls, and inputs of embeddings, that were not paid. */
  readonly callsSaved: number;
  /** 0 to 1; null without a result. */
  readonly hitRate: number | null;
  readonly spentUsd: number;
  readonly savedUsd: number;
  readonly coalescedUsd: number;
  readonly semanticUsd: number;
  /** Results of models without a price: what they cost and save is in no sum. */
  readonly unpricedResults: number;
  readonly models: readonly ModelUsage[];
}

type ByOutcome = Record<UsageOutcome, number>;

interface Sum {
  readonly kind: AiResultKind;
  readonly model: string;
  readonly results: ByOutcome;
  readonly tokens: ByOutcome;
  readonly nanoUsd: ByOutcome;
  isPriced: boolean;
  suspects: number;
}

/** Turns counts into money: each day's tokens by the prices in force on that day. */
export class AiStatisticsService {
  constructor(
    private readonly ledger: UsageLedger,
    private readonly prices: PriceTable,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** @param days today and those before it */
  async read(days: number): Promise<AiStatistics> {
    const since = dayOf(new Date(this.now().getTime() - (days - 1) * DAY_MS));
    return { since, ...summarise(await this.ledger.rows(since), this.prices) };
  }
}

/** @param rows of any days, kinds and models */
export function summarise(rows: readonly UsageRow[], prices: PriceTable): Omit<AiStatistics, 'since'> {
  const sums = [...sumsByModel(rows, prices).values()];
  const total = (of: (sum: Sum) => number) => sums.reduce((sum, it) => sum + of(it), 0);
  const results = {
    paid: total((it) => it.results.paid),
    hit: total((it) => it.results.hit),
    coalesced: total((it) => it.results.coalesced),
    semantic: total((it) => it.results.semantic),
  };
  const all = sumOf(results);
  return {
    results,
    callsSaved: all - results.paid,
    hitRate: all === 0 ? null : results.hit / all,
    spentUsd: total((it) => it.nanoUsd.paid) / NANO,
    savedUsd: total((it) => it.nanoUsd.hit) / NANO,
    coalescedUsd: total((it) => it.nanoUsd.coalesced) / NANO,
    semanticUsd: total((it) => it.nanoUsd.semantic) / NANO,
    unpricedResults: total((it) => (it.isPriced ? 0 : sumOf(it.results))),
    models: sums.map(modelUsage),
  };
}

function sumsByModel(rows: readonly UsageRow[], prices: PriceTable): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const key = `${row.kind}\n${row.model}`;
    const sum = sums.get(key) ?? emptySum(row);
    sums.set(key, sum);
    const cost = prices.cost(row.model, row, row.day);
    if (cost === undefined) sum.isPriced = false;
    sum.results[row.outcome] += row.results;
    sum.tokens[row.outcome] += row.promptTokens + row.completionTokens;
    sum.nanoUsd[row.outcome] += cost ?? 0;
    sum.suspects += row.suspects;
  }
  return sums;
}

function emptySum({ kind, model }: UsageRow): Sum {
  const none = (): ByOutcome => ({ paid: 0, hit: 0, coalesced: 0, semantic: 0 });
  return { kind, model, results: none(), tokens: none(), nanoUsd: none(), isPriced: true, suspects: 0 };
}

function modelUsage({ kind, model, results, tokens, nanoUsd, isPriced, suspects }: Sum): ModelUsage {
  const usd = (nano: number) => (isPriced ? nano / NANO : null);
  return {
    ...{ kind, model, results, suspects },
    paidTokens: tokens.paid,
    savedTokens: sumOf(tokens) - tokens.paid,
    spentUsd: usd(nanoUsd.paid),
    savedUsd: usd(nanoUsd.hit),
    coalescedUsd: usd(nanoUsd.coalesced),
    semanticUsd: usd(nanoUsd.semantic),
  };
}

function sumOf({ paid, hit, coalesced, semantic }: ByOutcome): number {
  return paid + hit + coalesced + semantic;
}
