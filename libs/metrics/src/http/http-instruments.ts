import { type PageFamily, type PageLine, singleValue } from '../exposition/page-family.js';
import { METRIC_NAMES } from '../metrics.tokens.js';
import { LATENCY_BUCKETS_SECONDS, SIZE_BUCKETS_BYTES } from './buckets.js';
import { Exemplars } from './exemplars.js';
import { HistogramRows } from './histogram-rows.js';
import { CLASS_5XX, LabelSets } from './label-sets.js';

/** All requests folded into one row, for percentiles and rates. */
export interface RequestTotals {
  /** Finished requests. */
  readonly count: number;
  /** Finished requests with a 5xx status. */
  readonly serverErrors: number;
  /** Count for each bucket of {@link LATENCY_BUCKETS_SECONDS} and, last, above the highest bound. Not cumulative. */
  readonly buckets: Float64Array;
}

/** Finished requests of one label set. */
export interface RequestRow {
  readonly method: string;
  readonly route: string;
  /** `1xx` to `5xx`, or `aborted`. */
  readonly status: string;
  /** As {@link RequestTotals.buckets}. */
  readonly buckets: readonly number[];
}

/** What is known of a request when it has finished. */
export interface FinishedRequest {
  readonly statusCode: number;
  /** The client left before the response was complete. */
  readonly aborted: boolean;
  readonly seconds: number;
  /** Body of the request, bytes; undefined when nobody knows. */
  readonly requestBytes?: number | undefined;
  /** Body of the response, bytes; undefined when nobody knows. */
  readonly responseBytes?: number | undefined;
  /** Of a trace that is kept: the exemplar of the bucket that the time goes to. */
  readonly traceId?: string | undefined;
}

/**
 * The figures of finished requests in flat arrays, found by numbers: an observation hashes nothing. Times are kept by
 * method, route template and status class, sizes by method and route.
 */
export class HttpInstruments {
  /** Requests that have started and not finished. */
  inFlight = 0;
  /** Finished requests above the slow-request bound. */
  slow = 0;

  readonly #sets: LabelSets;
  readonly #seconds = new HistogramRows(LATENCY_BUCKETS_SECONDS);
  readonly #exemplars = new Exemplars(this.#seconds.buckets);
  readonly #requestBytes = new HistogramRows(SIZE_BUCKETS_BYTES);
  readonly #responseBytes = new HistogramRows(SIZE_BUCKETS_BYTES);

  /** @param maxLabelSets label sets beside those of reserved routes */
  constructor(maxLabelSets: number) {
    this.#sets = new LabelSets(maxLabelSets);
  }

  /** Observations that went to the overflow. */
  get overflowed(): number {
    return this.#sets.overflowed;
  }

  /** Label sets that exist. */
  get labelSets(): number {
    return this.#sets.rowCount;
  }

  /** Memory that the figures take, bytes. */
  get bytes(): number {
    return this.#seconds.bytes + this.#requestBytes.bytes + this.#responseBytes.bytes;
  }

  /** Keeps a place for a route of the application, so that no other can push it into the overflow. */
  reserve(method: string, route: string): void {
    this.#sets.reserve(method, route);
  }

  /**
   * The number under which a route's requests are counted; ask once for a route and keep it.
   *
   * @param route the template, such as `/files/:id`; undefined when nothing matched
   */
  slotOf(method: string, route: string | undefined): number {
    return this.#sets.slotOf(method, route);
  }

  /** Counts one finished request. */
  observe(slot: number, request: FinishedRequest): void {
    const { statusCode, aborted, seconds, requestBytes, responseBytes, traceId } = request;
    const row = this.#sets.rowFor(slot, statusCode, aborted);
    const bucket = this.#seconds.observe(row, seconds);
    if (traceId !== undefined) this.#exemplars.note(row, bucket, seconds, traceId);
    if (requestBytes !== undefined) this.#requestBytes.observe(slot, requestBytes);
    if (responseBytes !== undefined) this.#responseBytes.observe(slot, responseBytes);
  }

  /** Everything since start. One pass over the rows in use. */
  totals(): RequestTotals {
    const buckets = new Float64Array(LATENCY_BUCKETS_SECONDS.length + 1);
    let count = 0;
    let serverErrors = 0;
    for (let row = 0; row < this.#sets.rowCount; row++) {
      const rowCount = this.#seconds.count(row);
      count += rowCount;
      if (this.#sets.classOfRow(row) === CLASS_5XX) serverErrors += rowCount;
      for (let i = 0; i < buckets.length; i++)
        buckets[i] = (buckets[i] as number) + this.#seconds.bucket(row, i);
    }
    return { count, serverErrors, buckets };
  }

  /** Everything since start, for each label set in use. */
  *rows(): Generator<RequestRow> {
    for (let row = 0; row < this.#sets.rowCount; row++) {
      if (this.#seconds.count(row) === 0) continue;
      const buckets = Array.from({ length: LATENCY_BUCKETS_SECONDS.length + 1 }, (_, i) =>
        this.#seconds.bucket(row, i),
      );
      yield { ...this.#sets.labelsOfRow(row), buckets };
    }
  }

  /** Everything, for a page. */
  families(): PageFamily[] {
    return [
      {
        name: METRIC_NAMES.requestDuration,
        help: 'Time from request to the end of the response, seconds',
        type: 'histogram',
        groups: this.#durations(),
      },
      {
        name: METRIC_NAMES.requests,
        help: 'Finished requests',
        type: 'counter',
        groups: this.#counts(),
      },
      {
        name: METRIC_NAMES.requestSize,
        help: 'Body of a request, bytes',
        type: 'histogram',
        groups: this.#sizes(this.#requestBytes),
      },
      {
        name: METRIC_NAMES.responseSize,
        help: 'Body of a response, bytes',
        type: 'histogram',
        groups: this.#sizes(this.#responseBytes),
      },
      singleValue(
        METRIC_NAMES.inFlight,
        'gauge',
        'Requests that have started and not finished',
        this.inFlight,
      ),
      singleValue(METRIC_NAMES.slowRequests, 'counter', 'Requests above the slow-request bound', this.slow),
    ];
  }

  *#durations(): Generator<readonly PageLine[]> {
    for (let row = 0; row < this.#sets.rowCount; row++) {
      const lines = this.#seconds.lines(row, this.#sets.labelsOfRow(row), this.#exemplars);
      if (lines) yield lines;
    }
  }

  *#counts(): Generator<readonly PageLine[]> {
    for (let row = 0; row < this.#sets.rowCount; row++) {
      const value = this.#seconds.count(row);
      if (value > 0) yield [{ labels: this.#sets.labelsOfRow(row), value }];
    }
  }

  *#sizes(bytes: HistogramRows): Generator<readonly PageLine[]> {
    for (let slot = 0; slot < this.#sets.slotCount; slot++) {
      const lines = bytes.lines(slot, this.#sets.labelsOfSlot(slot));
      if (lines) yield lines;
    }
  }
}
