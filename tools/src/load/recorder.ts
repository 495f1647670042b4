import { build, type Histogram } from 'hdr-histogram-js';

import type { Outcome } from './request-sender.ts';
import { type Action, ACTIONS } from './workload.ts';

const LONGEST_US = 120_000_000;

/** Milliseconds of what was answered; null when nothing was. */
export interface Latency {
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export interface Figures extends Latency {
  readonly requests: number;
  readonly errors: number;
  /** Share of the requests, 0 to 1. */
  readonly errorRate: number;
}

/** One second of the run, by when its requests were due. */
export interface Second {
  readonly second: number;
  readonly requests: number;
  readonly errors: number;
  readonly p95Ms: number | null;
}

/** Counts outcomes in HDR histograms: any percentile afterwards, with three digits. */
export class Recorder {
  private readonly actions = new Map<Action, Tally>(ACTIONS.map((it) => [it, new Tally(3)]));
  private readonly all = new Tally(3);
  private readonly seconds: Tally[] = [];
  private readonly lag = histogram(3);
  readonly errorKinds: Record<string, number> = {};

  /** @param responseMs from the moment when it was due */
  record(action: Action, dueMs: number, responseMs: number, outcome: Outcome): void {
    const second = Math.floor(dueMs / 1_000);
    // Two digits are enough for a plot, and there is one for each second.
    const ofSecond = (this.seconds[second] ??= new Tally(2));
    for (const tally of [this.actions.get(action), this.all, ofSecond]) tally?.add(responseMs, outcome);
    if (outcome !== null) this.errorKinds[outcome] = (this.errorKinds[outcome] ?? 0) + 1;
  }

  /** How much later than due a request was sent: the generator's own share. */
  recordLag(ms: number): void {
    this.lag.recordValue(toMicroseconds(ms));
  }

  get lagP99Ms(): number {
    return this.lag.totalCount === 0 ? 0 : this.lag.getValueAtPercentile(99) / 1_000;
  }

  get total(): Figures {
    return this.all.figures;
  }

  /** Only of actions that were done. */
  get byAction(): Partial<Record<Action, Figures>> {
    const done = [...this.actions].filter(([, { figures }]) => figures.requests > 0);
    return Object.fromEntries(done.map(([action, { figures }]) => [action, figures]));
  }

  timeline(seconds: number): Second[] {
    return Array.from({ length: Math.ceil(seconds) }, (_, second) => {
      const { requests, errors, p95Ms } = (this.seconds[second] ?? new Tally(2)).figures;
      return { second, requests, errors, p95Ms };
    });
  }
}

class Tally {
  private readonly answered: Histogram;
  private errors = 0;

  constructor(digits: 2 | 3) {
    this.answered = histogram(digits);
  }

  add(ms: number, outcome: Outcome): void {
    if (outcome === null) this.answered.recordValue(toMicroseconds(ms));
    else this.errors++;
  }

  get figures(): Figures {
    const { answered, errors } = this;
    const requests = answered.totalCount + errors;
    const at = (percentile: number) =>
      answered.totalCount === 0 ? null : answered.getValueAtPercentile(percentile) / 1_000;
    return {
      requests,
      errors,
      errorRate: requests === 0 ? 0 : errors / requests,
      p50Ms: at(50),
      p90Ms: at(90),
      p95Ms: at(95),
      p99Ms: at(99),
      maxMs: at(100),
    };
  }
}

function histogram(numberOfSignificantValueDigits: 2 | 3): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits,
    autoResize: true,
  });
}

function toMicroseconds(ms: number): number {
  return Math.min(LONGEST_US, Math.max(1, Math.round(ms * 1_000)));
}
