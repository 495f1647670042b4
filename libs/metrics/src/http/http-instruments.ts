import { METRIC_NAMES, OVERFLOW_LABEL, UNMATCHED_ROUTE } from '../metrics.tokens.js';

/** Upper bounds of the latency buckets, seconds. 0.2 and 0.5 are there for the alert and the slow-request log. */
export const LATENCY_BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10,
];

/** How a request ended. `aborted`: the client went away before the response was complete. */
export type StatusClass = (typeof STATUS_CLASSES)[number];

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;
const CLASSES = STATUS_CLASSES.length;
const CLASS_5XX = STATUS_CLASSES.indexOf('5xx');
const CLASS_ABORTED = STATUS_CLASSES.indexOf('aborted');

const BUCKETS = LATENCY_BUCKETS_SECONDS.length;
/** One row: a count for each bucket, one above the last bound, and the sum of seconds. */
const OVER = BUCKETS;
const SUM = BUCKETS + 1;
const ROW = BUCKETS + 2;

/** Methods that may become a label value; whatever else a client invents is `OTHER`. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);

/** A shape that prom-client's registry renders: it asks any registered object for `get()`. */
export interface RenderedMetric {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  values: { metricName?: string; labels: Record<string, string | number>; value: number }[];
}

/** All requests folded into one row, for percentiles and rates. */
export interface RequestTotals {
  /** Finished requests. */
  readonly count: number;
  /** Finished requests with a 5xx status. */
  readonly serverErrors: number;
  /** Count for each bucket of {@link LATENCY_BUCKETS_SECONDS} and, last, above the highest bound. Not cumulative. */
  readonly buckets: Float64Array;
}

interface Series {
  method: string;
  route: string;
  classIndex: number;
}

/**
 * Counters of finished requests in one flat array, found by numbers: an observation hashes nothing and allocates
 * nothing. A row exists for each label set (method, route template, status class) that has been seen; above
 * `maxLabelSets` rows, observations fold into one overflow row for each status class and are counted.
 */
export class HttpInstruments {
  /** Requests that have started and not finished. */
  inFlight = 0;
  /** Finished requests above the slow-request bound. */
  slow = 0;
  /** Observations that went to the overflow rows. */
  overflowed = 0;

  readonly #maxLabelSets: number;
  readonly #rows: Float64Array;
  readonly #series: Series[] = [];
  /** Row of (slot, class), or -1. The slot 0 is the overflow. */
  readonly #rowOf: number[] = [];
  readonly #slots = new Map<string, number>();
  readonly #slotLabels: { method: string; route: string }[] = [];

  constructor(maxLabelSets: number) {
    this.#maxLabelSets = maxLabelSets;
    this.#rows = new Float64Array((maxLabelSets + CLASSES) * ROW);
    this.#addSlot(OVERFLOW_LABEL, OVERFLOW_LABEL);
    // The overflow rows come first and outside the cap, so that there is always room for them.
    for (let classIndex = 0; classIndex < CLASSES; classIndex++) this.#addRow(0, classIndex);
  }

  /**
   * The number under which a route's requests are counted; ask once for a route and keep it.
   *
   * @param route the template, such as `/files/:id`; undefined when nothing matched
   */
  slotOf(method: string, route: string | undefined): number {
    const methodLabel = METHODS.has(method) ? method : 'OTHER';
    const routeLabel = route ?? UNMATCHED_ROUTE;
    const key = `${methodLabel} ${routeLabel}`;
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    // No slot gets a row beyond the cap, so more slots than label sets are of no use.
    if (this.#slots.size > this.#maxLabelSets) return 0;
    return this.#addSlot(methodLabel, routeLabel, key);
  }

  /** Counts one finished request. O(buckets), no allocation after the first of its label set. */
  observe(slot: number, statusCode: number, aborted: boolean, seconds: number): void {
    const classIndex = aborted ? CLASS_ABORTED : classOf(statusCode);
    const offset = this.#row(slot, classIndex) * ROW;
    let bucket = 0;
    while (bucket < BUCKETS && seconds > (LATENCY_BUCKETS_SECONDS[bucket] as number)) bucket++;
    const rows = this.#rows;
    rows[offset + bucket] = (rows[offset + bucket] as number) + 1;
    rows[offset + SUM] = (rows[offset + SUM] as number) + seconds;
  }

  /** Number of label sets in use, without the overflow rows. */
  get labelSets(): number {
    return this.#series.length - CLASSES;
  }

  /** Everything since start. One pass over the rows in use. */
  totals(): RequestTotals {
    const buckets = new Float64Array(BUCKETS + 1);
    let count = 0;
    let serverErrors = 0;
    this.#series.forEach((series, row) => {
      const rowCount = this.#countOf(row);
      count += rowCount;
      if (series.classIndex === CLASS_5XX) serverErrors += rowCount;
      for (let i = 0; i <= OVER; i++) {
        buckets[i] = (buckets[i] as number) + (this.#rows[row * ROW + i] as number);
      }
    });
    return { count, serverErrors, buckets };
  }

  /** The histogram with its labels, as Prometheus wants it: cumulative buckets, sum and count. */
  renderDuration(): RenderedMetric {
    const name = METRIC_NAMES.requestDuration;
    const values: RenderedMetric['values'] = [];
    for (const { row, labels } of this.#rowsInUse()) {
      let cumulative = 0;
      LATENCY_BUCKETS_SECONDS.forEach((bound, i) => {
        cumulative += this.#rows[row * ROW + i] as number;
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: cumulative });
      });
      const count = this.#countOf(row);
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count });
      values.push({ metricName: `${name}_sum`, labels, value: this.#rows[row * ROW + SUM] as number });
      values.push({ metricName: `${name}_count`, labels, value: count });
    }
    return { name, help: 'Time from request to the end of the response, seconds', type: 'histogram', values };
  }

  /** Finished requests by label set. */
  renderRequests(): RenderedMetric {
    return {
      name: METRIC_NAMES.requests,
      help: 'Finished requests',
      type: 'counter',
      values: this.#rowsInUse().map(({ row, labels }) => ({ labels, value: this.#countOf(row) })),
    };
  }

  #rowsInUse(): { row: number; labels: Record<string, string> }[] {
    return this.#series
      .map((it, row) => ({
        row,
        labels: { method: it.method, route: it.route, status: STATUS_CLASSES[it.classIndex] as string },
      }))
      .filter(({ row }) => this.#countOf(row) > 0);
  }

  #countOf(row: number): number {
    let count = 0;
    for (let i = 0; i <= OVER; i++) count += this.#rows[row * ROW + i] as number;
    return count;
  }

  #row(slot: number, classIndex: number): number {
    const row = this.#rowOf[slot * CLASSES + classIndex] as number;
    if (row >= 0 && slot !== 0) return row;
    if (slot !== 0 && this.labelSets < this.#maxLabelSets) return this.#addRow(slot, classIndex);
    this.overflowed++;
    return classIndex;
  }

  #addSlot(method: string, route: string, key = method): number {
    const slot = this.#slots.size;
    this.#slots.set(key, slot);
    for (let i = 0; i < CLASSES; i++) this.#rowOf.push(-1);
    this.#slotLabels.push({ method, route });
    return slot;
  }

  #addRow(slot: number, classIndex: number): number {
    const labels = this.#slotLabels[slot] as { method: string; route: string };
    const row = this.#series.push({ ...labels, classIndex }) - 1;
    this.#rowOf[slot * CLASSES + classIndex] = row;
    return row;
  }
}

function classOf(statusCode: number): number {
  const hundreds = Math.floor(statusCode / 100);
  return hundreds >= 1 && hundreds <= 5 ? hundreds - 1 : CLASS_5XX;
}
