import { describe, expect, it } from '@jest/globals';
import { type MetricFamily, type MetricSource } from '../metric-source.js';
import { MetricsSourceNameError } from '../metrics.errors.js';
import { Slices } from './slices.js';
import { SourceCollector } from './source-collector.js';

const family = (name: string, ...samples: MetricFamily['samples'][number][]): MetricFamily => ({
  name,
  help: 'h',
  type: 'gauge',
  samples,
});

const source = (name: string, ...families: MetricFamily[]): MetricSource => ({
  name,
  collect: () => families,
});

const makeCollector = (overrides: { timeoutMs?: number; maxLabelSets?: number } = {}) => {
  const warnings: string[] = [];
  const recoveries: string[] = [];
  const collector = new SourceCollector({
    timeoutMs: 1_000,
    maxLabelSets: 3,
    isReserved: (it) => it === 'http_requests_total',
    logger: {
      warn: (line: string) => void warnings.push(line),
      log: (line: string) => void recoveries.push(line),
    },
    ...overrides,
  });
  return { collector, warnings, recoveries };
};

/** What is collected, with its lines in an array as sources give them. */
const familiesOf = async (collector: SourceCollector, slices = new Slices()) =>
  (await collector.collect(slices)).map(({ groups, ...it }) => ({ ...it, samples: [...groups].flat() }));

describe('SourceCollector', () => {
  it('merges a family that two sources share', async () => {
    const { collector } = makeCollector();
    collector.register(source('a', family('x', { labels: { of: 'a' }, value: 1 })));
    collector.register(source('b', family('x', { labels: { of: 'b' }, value: 2 })));
    expect(await familiesOf(collector)).toEqual([
      family('x', { labels: { of: 'a' }, value: 1 }, { labels: { of: 'b' }, value: 2 }),
    ]);
  });

  it('goes on without a source that throws or rejects, counts each time and logs the change only', async () => {
    const { collector, warnings, recoveries } = makeCollector();
    let broken = true;
    collector.register({
      name: 'sync',
      collect: () => {
        if (broken) throw new Error('boom');
        return [];
      },
    });
    collector.register({ name: 'async', collect: () => Promise.reject(new Error('later')) });
    collector.register(source('good', family('x', { value: 1 })));

    expect(await familiesOf(collector)).toHaveLength(1);
    expect(await familiesOf(collector)).toHaveLength(1);
    expect([...collector.errors]).toEqual([
      ['sync', 2],
      ['async', 2],
    ]);
    expect(warnings).toEqual(['Metric source "sync" failed: boom', 'Metric source "async" failed: later']);

    broken = false;
    await familiesOf(collector);
    expect(recoveries).toEqual(['Metric source "sync" answers again']);
  });

  it('does not wait for a source that hangs, and does not ask it again before it has answered', async () => {
    const { collector, warnings } = makeCollector({ timeoutMs: 5 });
    let asked = 0;
    let resolve!: (families: MetricFamily[]) => void;
    const promise = new Promise<MetricFamily[]>((it) => (resolve = it));
    collector.register({ name: 'slow', collect: () => (asked++, promise) });

    expect(await familiesOf(collector)).toEqual([]);
    expect(await familiesOf(collector)).toEqual([]);
    expect(asked).toBe(1);
    expect(collector.errors.get('slow')).toBe(2);
    expect(warnings).toEqual([
      'Metric source "slow" failed: Metric source "slow" did not answer within 5 ms',
    ]);

    resolve([family('x', { value: 1 })]);
    await new Promise(setImmediate); // lets everything that waits for the answer run
    await familiesOf(collector);
    expect(asked).toBe(2);
  });

  it.each([
    ['a name that Prometheus refuses', family('not-a-name', { value: 1 })],
    ['a name of the registry itself', family('http_requests_total', { value: 1 })],
    ['an unknown type', { ...family('x', { value: 1 }), type: 'summary' } as unknown as MetricFamily],
    ['a label name that Prometheus refuses', family('x', { labels: { 'a-b': '1' }, value: 1 })],
    ['a value that is no number', family('x', { value: '1' } as unknown as { value: number })],
    ['no samples at all', { name: 'x', help: 'h', type: 'gauge' } as unknown as MetricFamily],
    ['a suffix outside a histogram', family('x', { suffix: '_sum', value: 1 })],
    ['a histogram without suffixes', { ...family('x', { value: 1 }), type: 'histogram' as const }],
    [
      'a bucket without its bound',
      { ...family('x', { suffix: '_bucket', value: 1 }), type: 'histogram' as const },
    ],
    ['null', null as unknown as MetricFamily],
  ])('leaves out %s and keeps the rest of the source', async (_, wrong) => {
    const { collector } = makeCollector();
    collector.register(source('a', wrong, family('good', { value: 1 })));
    const samples = (await familiesOf(collector)).flatMap((it) => it.samples);
    expect(samples).toEqual([{ labels: {}, value: 1 }]);
    expect(collector.errors.get('a')).toBe(1);
  });

  it('leaves out a second type and a second value of one label set', async () => {
    const { collector, warnings } = makeCollector();
    collector.register(source('a', family('x', { labels: { a: '1', b: '2' }, value: 1 })));
    collector.register(source('b', { ...family('x', { value: 9 }), type: 'counter' }));
    collector.register(source('c', family('x', { labels: { b: '2', a: '1' }, value: 2 })));
    expect(await familiesOf(collector)).toEqual([family('x', { labels: { a: '1', b: '2' }, value: 1 })]);
    expect(warnings).toHaveLength(2);
  });

  it('cuts a family at the number of label sets and counts what it left out', async () => {
    const { collector } = makeCollector();
    const samples = Array.from({ length: 8 }, (_, i) => ({ labels: { user: String(i) }, value: i }));
    collector.register(source('a', family('x', ...samples)));
    expect((await familiesOf(collector))[0]?.samples).toHaveLength(3);
    expect(collector.overflows.get('x')).toBe(5);
    expect(collector.errors.size).toBe(0);
  });

  it('takes a histogram whole or not at all when it reaches the number of label sets', async () => {
    const { collector } = makeCollector({ maxLabelSets: 1 });
    const lines = (of: string): MetricFamily['samples'] => [
      { suffix: '_bucket', labels: { of, le: '1' }, value: 1 },
      { suffix: '_bucket', labels: { of, le: '+Inf' }, value: 2 },
      { suffix: '_sum', labels: { of }, value: 3 },
      { suffix: '_count', labels: { of }, value: 2 },
    ];
    collector.register(source('a', { ...family('x', ...lines('a'), ...lines('b')), type: 'histogram' }));
    expect((await familiesOf(collector))[0]?.samples).toEqual(
      lines('a').map((it) => expect.objectContaining(it)),
    );
    expect(collector.overflows.get('x')).toBe(4);
  });

  it('refuses a second source of the same name, takes the same object twice, and forgets a removed one', async () => {
    const { collector } = makeCollector();
    const first = source('a', family('x', { value: 1 }));
    const remove = collector.register(first);
    collector.register(first);
    expect(() => collector.register(source('a'))).toThrow(MetricsSourceNameError);
    remove();
    expect(await familiesOf(collector)).toEqual([]);
  });

  it('gives the event loop a turn within a large family', async () => {
    const { collector } = makeCollector({ maxLabelSets: 20_000 });
    const samples = Array.from({ length: 20_000 }, (_, i) => ({ labels: { user: String(i) }, value: i }));
    collector.register(source('a', family('x', ...samples)));
    const slices = new Slices();
    expect((await familiesOf(collector, slices))[0]?.samples).toHaveLength(20_000);
    expect(slices.figures()).toMatchObject({ rows: 20_000, longestRows: 500 });
  });
});
