import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type PageFamily, type PageLine, singleValue } from '../exposition/page-family.js';
import { METRIC_NAMES } from '../metrics.tokens.js';
import { type EventLoopFigures } from '../supervision/event-loop-monitor.js';
import { LiveHeap } from '../supervision/live-heap.js';
import { readCgroup } from './cgroup.js';
import { GcInstruments } from './gc-instruments.js';

/** Of prom-client's own: it counts one pause where several came at once, so ours takes the name. */
const REPLACED = new Set<string>([METRIC_NAMES.gcDuration]);

/** Figures of this process: prom-client's (CPU, memory, heap by space, descriptors) and those that it lacks. */
export class ProcessInstruments {
  readonly #registry = new Registry();
  readonly #gc = new GcInstruments();
  readonly #live = new LiveHeap();

  /** @param loop the figures of the event loop now */
  constructor(private readonly loop: () => EventLoopFigures) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of REPLACED) this.#registry.removeSingleMetric(name);
  }

  /** Whether a name is one of prom-client's. */
  has(name: string): boolean {
    return this.#registry.getSingleMetric(name) !== undefined;
  }

  async families(): Promise<PageFamily[]> {
    const [standard, cgroup] = await Promise.all([this.#registry.getMetricsAsJSON(), readCgroup()]);
    const { cgroupMemoryLimit, cgroupMemoryUsage, cgroupCpuLimit, cgroupCpuThrottled } = METRIC_NAMES;
    return [
      ...standard.map((it) => fromPromClient(it as unknown as PromClientMetric)),
      this.#gc.family(),
      ...this.#loopFamilies(),
      singleValue(
        METRIC_NAMES.heapLimit,
        'gauge',
        "V8's limit of the heap, bytes; beyond it the process ends",
        getHeapStatistics().heap_size_limit,
      ),
      ...present(
        METRIC_NAMES.heapLive,
        'gauge',
        'Heap in use after the latest major collection, bytes',
        this.#live.bytes,
      ),
      ...present(
        cgroupMemoryLimit,
        'gauge',
        'Memory the control group may use, bytes',
        cgroup.memoryLimitBytes,
      ),
      ...present(cgroupMemoryUsage, 'gauge', 'Memory the control group uses, bytes', cgroup.memoryUsageBytes),
      ...present(cgroupCpuLimit, 'gauge', 'CPU the control group may use, cores', cgroup.cpuLimitCores),
      ...present(
        cgroupCpuThrottled,
        'counter',
        'Time in which the control group was held back, seconds',
        cgroup.cpuThrottledSeconds,
      ),
    ];
  }

  stop(): void {
    this.#gc.stop();
    this.#live.stop();
  }

  #loopFamilies(): PageFamily[] {
    const { lagMeanMs, lagP99Ms, lagMaxMs, utilization } = this.loop();
    const { idle, active } = performance.eventLoopUtilization();
    const late = (name: string, which: string, ms: number) =>
      singleValue(
        name,
        'gauge',
        `How late timers ran in the last 10 to 20 seconds, ${which}, seconds`,
        ms / 1_000,
      );
    return [
      late(METRIC_NAMES.loopDelayMean, 'mean', lagMeanMs),
      late(METRIC_NAMES.loopDelayP99, '99th percentile', lagP99Ms),
      late(METRIC_NAMES.loopDelayMax, 'worst', lagMaxMs),
      singleValue(
        METRIC_NAMES.loopUtilization,
        'gauge',
        'Share of the last 10 to 20 seconds in which the event loop was not idle',
        utilization,
      ),
      {
        name: METRIC_NAMES.loopTime,
        type: 'counter',
        help: 'Time of the event loop by state, seconds; for a rate over any window',
        groups: [
          [
            { labels: { state: 'active' }, value: active / 1_000 },
            { labels: { state: 'idle' }, value: idle / 1_000 },
          ],
        ],
      },
    ];
  }
}

/** As prom-client gives a metric; its own type leaves `metricName` out. */
interface PromClientMetric {
  readonly name: string;
  readonly help: string;
  readonly type: PageFamily['type'];
  readonly values: readonly {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
  }[];
}

function fromPromClient({ name, help, type, values }: PromClientMetric): PageFamily {
  const lines: PageLine[] = values.map((it) => ({
    suffix: it.metricName?.slice(name.length),
    labels: it.labels,
    value: it.value,
  }));
  return { name, help, type, groups: [lines] };
}

function present(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: number | undefined,
): PageFamily[] {
  return value === undefined ? [] : [singleValue(name, type, help, value)];
}
