import { Logger } from '@nestjs/common';
import { type MetricFamily, type MetricSource } from '../metric-source.js';
import { MetricsConsumerNameError } from '../metrics.errors.js';
import { collectGarbage } from './collect-garbage.js';
import { CollectionPlan } from './collection-plan.js';
import { MemoryBudget } from './memory-budget.js';
import { type MemoryConsumer, type SheddingListener } from './memory-consumer.js';
import { memoryFamilies, type MemoryCounters } from './memory-families.js';
import {
  type MemoryManagerOptions,
  type MemoryManagerOptionsInput,
  parseMemoryManagerOptions,
} from './memory-manager.options.js';
import { MemoryPressure, type MemoryLevel } from './memory-pressure.js';
import { MemoryReader, type MemoryReading } from './memory-reader.js';

/** What the manager sees and does now. */
export interface MemoryManagerState extends MemoryReading {
  readonly level: MemoryLevel;
  /** New work is refused. */
  readonly isShedding: boolean;
  /** Share of their budgets that consumers may use, 0 to 1. */
  readonly budgetShare: number;
}

/** Another clock or reader for tests. */
export interface MemoryManagerParts {
  readonly now?: () => number;
  readonly reader?: Pick<MemoryReader, 'refresh' | 'read' | 'stop'> & { readonly heap: MemoryReader['heap'] };
  readonly collectGarbage?: () => void;
}

/**
 * Keeps the process alive when memory runs short: from 85 % of a limit on its consumers keep half of what they may, from
 * 90 % on nothing, and new work is refused; when memory is free again, budgets grow back a tenth at a time. It does
 * nothing before {@link start}. A source of metrics.
 */
export class MemoryManager implements MetricSource {
  readonly name = 'memory';
  readonly options: MemoryManagerOptions;
  readonly #logger = new Logger('Memory');
  readonly #pressure: MemoryPressure;
  readonly #budget: MemoryBudget;
  readonly #reader: NonNullable<MemoryManagerParts['reader']>;
  readonly #consumers = new Map<string, MemoryConsumer>();
  readonly #listeners: SheddingListener[] = [];
  readonly #counters: MemoryCounters = { actions: {}, freedBytes: {}, failures: {}, shedRequests: 0 };
  readonly #now: () => number;
  readonly #collectGarbage: () => void;
  readonly #collections: CollectionPlan;
  #reading: MemoryReading;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  /** @throws {MetricsOptionsError} */
  constructor(input: MemoryManagerOptionsInput = {}, parts: MemoryManagerParts = {}) {
    this.options = parseMemoryManagerOptions(input);
    this.#pressure = new MemoryPressure(this.options);
    this.#budget = new MemoryBudget(this.options.growEveryMs);
    this.#reader = parts.reader ?? new MemoryReader(this.options.limitBytes, this.options.heapLimitBytes);
    this.#now = parts.now ?? (() => performance.now());
    this.#collectGarbage = parts.collectGarbage ?? collectGarbage;
    this.#collections = new CollectionPlan(this.options);
    this.#reading = this.#reader.read();
  }

  /** New work is to be refused. */
  get isShedding(): boolean {
    return this.#pressure.level === 'shed';
  }

  get state(): MemoryManagerState {
    const { level } = this.#pressure;
    return { ...this.#reading, level, isShedding: this.isShedding, budgetShare: this.#budget.share };
  }

  /** @throws {MetricsConsumerNameError} when another has the name */
  register(consumer: MemoryConsumer): void {
    if (this.#consumers.has(consumer.name)) throw new MetricsConsumerNameError(consumer.name);
    this.#consumers.set(consumer.name, consumer);
  }

  /** The listener is told of every change from now on. */
  onShedding(listener: SheddingListener): void {
    this.#listeners.push(listener);
  }

  /** A request, or whatever is counted as one, was refused. */
  countShed(): void {
    this.#counters.shedRequests++;
  }

  /** Looks at the memory from now on, without keeping the process alive. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), this.options.intervalMs).unref();
  }

  /** Ends the looking; what is limited stays so. */
  stop(): void {
    clearInterval(this.#timer);
    this.#reader.stop();
  }

  collect(): MetricFamily[] {
    return memoryFamilies(this.state, this.#counters);
  }

  /** One look, and what follows from it; the timer calls it. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const nowMs = this.#now();
    await this.#reader.refresh(nowMs);
    this.#reading = this.#reader.read();
    const ratio = ratioOf(this.#reading);
    const before = this.#pressure.level;
    const level = this.#pressure.sample(ratio, nowMs);
    if ((level === 'shed') !== (before === 'shed')) await this.#tellListeners(level === 'shed');
    const canGrow = ratio < this.options.trimRatio - this.options.recoverGap;
    const shareBefore = this.#budget.share;
    let freed = '';
    if (this.#budget.adapt(level, canGrow, nowMs)) freed = await this.#limitConsumers(shareBefore);
    if (level !== before) this.#report(level, before, freed);
    const { collectedAtMs } = this.#reader.heap;
    if (this.#collections.isDue(level, this.#reading, { nowMs, collectedAtMs })) this.#collectNow();
  }

  async #tellListeners(isShedding: boolean): Promise<void> {
    for (const listener of this.#listeners) {
      try {
        await listener(isShedding);
      } catch (error) {
        this.#fail('listener', error);
      }
    }
  }

  /** @returns what each let go of, for people */
  async #limitConsumers(shareBefore: number): Promise<string> {
    const { share } = this.#budget;
    this.#count(share === 0 ? 'clear' : share < shareBefore ? 'trim' : 'grow');
    const freed: string[] = [];
    for (const consumer of this.#consumers.values()) {
      try {
        const bytes = await consumer.limit(share);
        this.#counters.freedBytes[consumer.name] = (this.#counters.freedBytes[consumer.name] ?? 0) + bytes;
        if (bytes > 0) freed.push(`${consumer.name} ${megabytes(bytes)}`);
      } catch (error) {
        this.#fail(consumer.name, error);
      }
    }
    return freed.join(', ');
  }

  #collectNow(): void {
    const startedAtMs = this.#now();
    this.#collectGarbage();
    this.#reader.heap.read();
    this.#collections.collected(startedAtMs, this.#now());
    this.#count('collect');
  }

  #count(action: string): void {
    this.#counters.actions[action] = (this.#counters.actions[action] ?? 0) + 1;
  }

  #fail(consumer: string, error: unknown): void {
    this.#counters.failures[consumer] = (this.#counters.failures[consumer] ?? 0) + 1;
    this.#logger.error(`"${consumer}" could not follow the memory manager`, error);
  }

  #report(level: MemoryLevel, before: MemoryLevel, freed: string): void {
    const { rssBytes, limitBytes, rssRatio, heapBytes, heapLimitBytes, heapRatio } = this.#reading;
    const figures =
      `RSS ${megabytes(rssBytes)} of ${megabytes(limitBytes)} (${percent(rssRatio)}), ` +
      `live heap ${megabytes(heapBytes)} of ${megabytes(heapLimitBytes)} (${percent(heapRatio)})`;
    const given = freed === '' ? '' : `; given back: ${freed}`;
    const line = `${DEEDS[level]} (${before} -> ${level}): ${figures}${given}`;
    if (level === 'normal') this.#logger.log(line);
    else this.#logger.warn(line);
  }
}

const DEEDS: Readonly<Record<MemoryLevel, string>> = {
  normal: 'Memory is free again, budgets grow back',
  trim: 'Memory runs short, budgets are halved at most',
  shed: 'Memory is almost used up, everything is given back and new work is refused',
};

const ratioOf = ({ rssRatio, heapRatio }: MemoryReading) => Math.max(rssRatio, heapRatio);
const megabytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;
const percent = (ratio: number) => `${(ratio * 100).toFixed(1)} %`;
