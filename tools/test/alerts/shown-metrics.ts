import { type Selector, selectorsOf } from '../../src/alerts/promql.ts';

const OF_HISTOGRAM = ['_bucket', '_sum', '_count'];
/** What Prometheus itself adds. */
const OF_PROMETHEUS = ['up', 'ALERTS'];
const OF_TARGETS = ['job', 'instance'];
/** Values that show only when something happened. */
const OF_EVENTS = ['status', 'result'];

/** What one or more pages of `/metrics` show. */
export class ShownMetrics {
  private readonly samples = new Map<string, Record<string, string>[]>();

  constructor(pages: readonly string[]) {
    for (const line of pages.flatMap((it) => it.split('\n'))) this.read(line);
  }

  /** Whether there is a sample of it. */
  hasSample(metric: string): boolean {
    return (this.samples.get(metric)?.length ?? 0) > 0;
  }

  /** @returns what the expression asks for and nobody shows; of a metric without samples only the name is known */
  missingIn(expression: string): string[] {
    return selectorsOf(expression)
      .filter(({ metric }) => !OF_PROMETHEUS.includes(metric))
      .filter((it) => !this.shows(it))
      .map(({ metric, equals }) => `${metric}${JSON.stringify(equals)}`);
  }

  private shows({ metric, equals }: Selector): boolean {
    const all = this.samples.get(metric);
    if (all === undefined) return false;
    const asked = Object.entries(equals).filter(([label]) => ![...OF_TARGETS, ...OF_EVENTS].includes(label));
    return all.length === 0 || all.some((labels) => asked.every(([label, value]) => labels[label] === value));
  }

  private read(line: string): void {
    const [, family = '', type = ''] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    for (const suffix of type === 'histogram' ? OF_HISTOGRAM : ['']) {
      if (family !== '' && !this.samples.has(family + suffix)) this.samples.set(family + suffix, []);
    }
    const [, name, labels = ''] = /^([\w:]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) return;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', value = '']) => [
      label,
      value,
    ]);
    this.samples.get(name)?.push(Object.fromEntries(pairs) as Record<string, string>);
  }
}
