import { LRUCache } from 'lru-cache';
import { type NumberedQuestion, type PlanQuestion, type PlanReason } from './plan-question.js';
import { type PlannerReport } from './planner-report.js';

/** A run weighs so much in the moving average of an entry. */
const NEWEST_SHARE = 0.2;
/** Runs before an entry is judged by its time. */
const LEAST_RUNS = 5;
/** Dropped when it takes this much longer than predicted. */
const TOO_SLOW = 1.5;
/** Dropped when more of its answers than this were not good enough. */
const MISSED_SHARE = 0.02;

/** What was found out about a question before chance has its say. */
export interface PlannedEntry {
  readonly key: string | undefined;
  readonly plan: number;
  readonly reason: PlanReason;
  /** By plan, NaN where nothing is known. */
  readonly predictedMs: Float64Array;
  readonly predicted: Readonly<Record<string, number>>;
  readonly modelVersion: number;
  /** By plan: how likely it is tried instead of `plan`, if that can be paid for. Undefined until it is needed. */
  shares: Float64Array | undefined;
  runs: number;
  missed: number;
  averageMs: number;
}

/** Why plans were forgotten. */
export type PlanDrop = 'promotion' | 'drift' | 'slower' | 'missed floor' | (string & {});

/** Plans by shape and buckets, never by the values of features. */
export class PlanCache {
  readonly #entries: LRUCache<string, PlannedEntry>;
  readonly #drops = new Map<PlanDrop, number>();
  #hits = 0;
  #misses = 0;

  constructor(maxEntries: number) {
    this.#entries = new LRUCache({ max: maxEntries });
  }

  report(): PlannerReport['cache'] {
    return {
      entries: this.#entries.size,
      hits: this.#hits,
      misses: this.#misses,
      drops: Object.fromEntries(this.#drops),
    };
  }

  /** @param isUsable whether the entry may be used for this query */
  get(key: string, isUsable: (entry: PlannedEntry) => boolean): PlannedEntry | undefined {
    const entry = this.#entries.get(key);
    const found = entry && isUsable(entry) ? entry : undefined;
    if (found) this.#hits++;
    else this.#misses++;
    return found;
  }

  set(key: string, entry: PlannedEntry): void {
    this.#entries.set(key, entry);
  }

  /** The entry's plan ran; forgets it where it is not what it promised. */
  ran(entry: PlannedEntry, ms: number, hasMissedFloor: boolean): void {
    entry.runs++;
    if (hasMissedFloor) entry.missed++;
    entry.averageMs = entry.runs === 1 ? ms : entry.averageMs + NEWEST_SHARE * (ms - entry.averageMs);
    const { key } = entry;
    if (key === undefined || this.#entries.peek(key) !== entry) return;
    const isSlow = entry.averageMs > TOO_SLOW * (entry.predictedMs[entry.plan] ?? NaN);
    if (entry.missed > MISSED_SHARE * entry.runs) this.#drop(key, 'missed floor');
    else if (entry.runs >= LEAST_RUNS && isSlow) this.#drop(key, 'slower');
  }

  clear(reason: PlanDrop): void {
    this.#count(reason, this.#entries.size);
    this.#entries.clear();
  }

  #drop(key: string, reason: PlanDrop): void {
    this.#entries.delete(key);
    this.#count(reason, 1);
  }

  #count(reason: PlanDrop, entries: number): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + entries);
  }
}

/** The model's version is not in it: a promotion clears the cache. */
export function planKey(
  { shape, buckets }: Pick<PlanQuestion<string>, 'shape' | 'buckets'>,
  { allowed, fallback }: NumberedQuestion,
): string {
  let key = `${allowed},${fallback}`;
  for (const bucket of buckets) key += `,${bucket}`;
  return `${key};${shape}`;
}
