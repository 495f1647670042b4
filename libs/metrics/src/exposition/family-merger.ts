import { type MetricFamily, type MetricSample } from '../metric-source.js';
import { MetricsFamilyError } from '../metrics.errors.js';
import { type PageFamily, type PageLine } from './page-family.js';
import { type Slices } from './slices.js';

// https://prometheus.io/docs/concepts/data_model/
const FAMILY_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

const TYPES = new Set<string>(['counter', 'gauge', 'histogram']);
const HISTOGRAM_SUFFIXES = new Set<string | undefined>(['_bucket', '_sum', '_count']);

interface Merged {
  readonly family: Omit<MetricFamily, 'samples'>;
  readonly samples: Map<string, MetricSample>;
  /** Label sets; all lines of one histogram count as one. */
  readonly labelSets: Set<string>;
}

/** Options of {@link FamilyMerger}. */
export interface FamilyMergerOptions {
  /** Label sets that one family may have. */
  readonly maxLabelSets: number;
  /** Says whether a family name belongs to the registry's own metrics. */
  readonly isReserved: (family: string) => boolean;
  /** Takes the count of samples that were left out, by family. */
  readonly overflows: Map<string, number>;
  readonly slices: Slices;
}

/**
 * Puts the families of several sources together so that the exposition stays valid: each name once with one type, each
 * label set once, names as Prometheus allows them.
 */
export class FamilyMerger {
  readonly #merged = new Map<string, Merged>();
  readonly #maxLabelSets: number;
  readonly #isReserved: (family: string) => boolean;
  readonly #overflows: Map<string, number>;
  readonly #slices: Slices;

  constructor(options: FamilyMergerOptions) {
    this.#maxLabelSets = options.maxLabelSets;
    this.#isReserved = options.isReserved;
    this.#overflows = options.overflows;
    this.#slices = options.slices;
  }

  /** Takes what is valid and returns why the rest was left out. */
  async add(families: readonly MetricFamily[]): Promise<MetricsFamilyError[]> {
    if (!Array.isArray(families)) return [new MetricsFamilyError('', 'collect() gave no array')];
    const problems: MetricsFamilyError[] = [];
    for (const family of families as MetricFamily[]) {
      try {
        problems.push(...(await this.#addFamily(family)));
      } catch (error) {
        // A malformed family (samples is no array, labels is null) must cost that family only.
        problems.push(new MetricsFamilyError(String((family as MetricFamily | null)?.name), String(error)));
      }
    }
    return problems;
  }

  families(): PageFamily[] {
    return [...this.#merged.values()].map(({ family, samples }) => ({
      ...family,
      groups: groupsOf(samples),
    }));
  }

  async #addFamily(family: MetricFamily): Promise<MetricsFamilyError[]> {
    const { name, type } = family;
    if (!FAMILY_NAME.test(name)) return [new MetricsFamilyError(name, 'is no metric name')];
    if (!TYPES.has(type)) return [new MetricsFamilyError(name, `has the unknown type ${String(type)}`)];
    if (this.#isReserved(name)) return [new MetricsFamilyError(name, 'is a metric of the registry itself')];
    const merged = this.#merged.get(name) ?? {
      family: { name, type, help: String(family.help ?? '') },
      samples: new Map<string, MetricSample>(),
      labelSets: new Set<string>(),
    };
    if (merged.family.type !== type)
      return [new MetricsFamilyError(name, 'has another type in another source')];
    this.#merged.set(name, merged);
    const problems: MetricsFamilyError[] = [];
    for (const sample of family.samples) {
      const problem = this.#addSample(merged, sample);
      if (problem) problems.push(problem);
      if (this.#slices.isFull()) await this.#slices.pause();
    }
    return problems;
  }

  #addSample({ family, samples, labelSets }: Merged, sample: MetricSample): MetricsFamilyError | undefined {
    const labels = Object.fromEntries(
      Object.entries(sample.labels ?? {}).map(([name, value]) => [name, String(value)]),
    );
    const wrong = problemOf(family.type, sample, labels);
    if (wrong !== undefined) return new MetricsFamilyError(family.name, wrong);
    const { le, ...others } = labels;
    const labelSet = keyOf(family.type === 'histogram' ? others : labels);
    const key = `${sample.suffix ?? ''} ${labelSet} ${family.type === 'histogram' ? (le ?? '') : ''}`;
    if (samples.has(key)) return new MetricsFamilyError(family.name, `has the labels ${keyOf(labels)} twice`);
    if (!labelSets.has(labelSet) && labelSets.size >= this.#maxLabelSets) {
      this.#overflows.set(family.name, (this.#overflows.get(family.name) ?? 0) + 1);
      return undefined;
    }
    labelSets.add(labelSet);
    const { value, suffix } = sample;
    samples.set(key, { labels, value, ...(suffix === undefined ? {} : { suffix }) });
    return undefined;
  }
}

function* groupsOf(samples: ReadonlyMap<string, MetricSample>): Generator<readonly PageLine[]> {
  for (const { labels = {}, value, suffix } of samples.values()) yield [{ labels, value, suffix }];
}

function problemOf(
  type: MetricFamily['type'],
  { value, suffix }: MetricSample,
  labels: Readonly<Record<string, string>>,
): string | undefined {
  const wrong = Object.keys(labels).find((name) => !LABEL_NAME.test(name));
  if (wrong !== undefined) return `"${wrong}" is no label name`;
  if (typeof value !== 'number') return 'a value is no number';
  if (type !== 'histogram') return suffix === undefined ? undefined : `a ${type} has no suffix`;
  if (!HISTOGRAM_SUFFIXES.has(suffix)) return 'a sample of a histogram is a _bucket, the _sum or the _count';
  return (suffix === '_bucket') === (labels['le'] !== undefined)
    ? undefined
    : 'the label le belongs to each bucket, and to nothing else';
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
