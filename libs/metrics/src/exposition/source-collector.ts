import { type Logger } from '@nestjs/common';
import { type MetricFamily, type MetricSource } from '../metric-source.js';
import { MetricsSourceNameError, MetricsSourceTimeoutError } from '../metrics.errors.js';
import { FamilyMerger } from './family-merger.js';
import { type PageFamily } from './page-family.js';
import { type Slices } from './slices.js';

/** Options of {@link SourceCollector}. */
export interface SourceCollectorOptions {
  /** Milliseconds for each source. */
  readonly timeoutMs: number;
  /** Label sets that one family may have. */
  readonly maxLabelSets: number;
  /** Says whether a family name belongs to the registry's own metrics. */
  readonly isReserved: (family: string) => boolean;
  readonly logger: Pick<Logger, 'warn' | 'log'>;
}

/** Asks all sources at once at scrape time. What one of them does wrong costs only that source. */
export class SourceCollector {
  /** Failed collections by source name, since start. */
  readonly errors = new Map<string, number>();
  /** Samples left out by family name because of `maxLabelSets`, since start. */
  readonly overflows = new Map<string, number>();

  readonly #options: SourceCollectorOptions;
  readonly #sources = new Map<string, MetricSource>();
  readonly #pending = new Set<MetricSource>();
  readonly #failing = new Set<string>();

  constructor(options: SourceCollectorOptions) {
    this.#options = options;
  }

  /**
   * Adds a source; adding the same object twice changes nothing.
   *
   * @returns a function that removes it
   * @throws {MetricsSourceNameError} when another source has the name
   */
  register(source: MetricSource): () => void {
    const known = this.#sources.get(source.name);
    if (known && known !== source) throw new MetricsSourceNameError(source.name);
    this.#sources.set(source.name, source);
    return () => {
      if (this.#sources.get(source.name) === source) this.#sources.delete(source.name);
    };
  }

  source(name: string): MetricSource | undefined {
    return this.#sources.get(name);
  }

  /** The valid families of all sources that answered in time. Never rejects. */
  async collect(slices: Slices): Promise<PageFamily[]> {
    const sources = [...this.#sources.values()];
    slices.end();
    const answers = await Promise.allSettled(sources.map((source) => this.#ask(source)));
    slices.begin();
    const { maxLabelSets, isReserved } = this.#options;
    const merger = new FamilyMerger({ maxLabelSets, isReserved, overflows: this.overflows, slices });
    for (const [i, answer] of answers.entries()) {
      const { name } = sources[i] as MetricSource;
      const problems: readonly unknown[] =
        answer.status === 'fulfilled' ? await merger.add(answer.value) : [answer.reason];
      this.#note(name, problems);
    }
    return merger.families();
  }

  async #ask(source: MetricSource): Promise<readonly MetricFamily[]> {
    const { timeoutMs } = this.#options;
    // A source that hangs is not asked again until it has answered: calls must not pile up scrape by scrape.
    if (this.#pending.has(source)) throw new MetricsSourceTimeoutError(source.name, timeoutMs);
    this.#pending.add(source);
    // The executor turns a synchronous throw of collect() into a rejection.
    const answer = new Promise<readonly MetricFamily[]>((resolve) => resolve(source.collect())).finally(() =>
      this.#pending.delete(source),
    );
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new MetricsSourceTimeoutError(source.name, timeoutMs)), timeoutMs);
    });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Counts every problem, but logs only the change from good to bad and back: a scrape comes every few seconds. */
  #note(name: string, problems: readonly unknown[]): void {
    if (problems.length === 0) {
      if (this.#failing.delete(name)) this.#options.logger.log(`Metric source "${name}" answers again`);
      return;
    }
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
    if (this.#failing.has(name)) return;
    this.#failing.add(name);
    const reasons = problems.map((it) => (it instanceof Error ? it.message : String(it)));
    this.#options.logger.warn(`Metric source "${name}" failed: ${reasons.slice(0, 5).join('; ')}`);
  }
}
