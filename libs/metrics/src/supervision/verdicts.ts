import { type EventLoopFigures } from './event-loop-monitor.js';
import { type MemoryFigures } from './memory.js';
import { type RecentRequests } from './request-window.js';

/** A word for people and for alerts. */
export type StatusWord = 'healthy' | 'warning' | 'critical';

/** From which figure on an area is `warning` or `critical`. */
export const STATUS_THRESHOLDS = {
  /** Share of 5xx answers within the window; judged from `minRequests` on. */
  errorRate: { warning: 0.01, critical: 0.05, minRequests: 20 },
  /** p95 as a multiple of `slowRequestMs`; judged from `minRequests` on. */
  latencyToSlow: { warning: 1, critical: 4, minRequests: 20 },
  /** 99th percentile of the event-loop lag, milliseconds. */
  eventLoopLagMs: { warning: 100, critical: 500 },
  /** The higher of rss / limit and heap used / heap limit. */
  memoryRatio: { warning: 0.8, critical: 0.9 },
} as const;

/** A word for each area, and the worst of them. */
export interface StatusReport {
  readonly overall: StatusWord;
  readonly errors: StatusWord;
  readonly latency: StatusWord;
  readonly eventLoop: StatusWord;
  readonly memory: StatusWord;
}

/** What the verdicts look at. */
export interface JudgedFigures {
  readonly recent: RecentRequests;
  readonly eventLoop: EventLoopFigures;
  readonly memory: MemoryFigures;
  readonly slowRequestMs: number;
}

const SEVERITY = { healthy: 0, warning: 1, critical: 2 } as const;

/** Judges each area by {@link STATUS_THRESHOLDS}. */
export function judge({ recent, eventLoop, memory, slowRequestMs }: JudgedFigures): StatusReport {
  const { errorRate, latencyToSlow, eventLoopLagMs, memoryRatio } = STATUS_THRESHOLDS;
  const enough = (minRequests: number): boolean => recent.count >= minRequests;
  const areas = {
    errors: enough(errorRate.minRequests) ? word(recent.errorRate, errorRate) : 'healthy',
    latency: enough(latencyToSlow.minRequests)
      ? word((recent.p95Ms ?? 0) / slowRequestMs, latencyToSlow)
      : 'healthy',
    eventLoop: word(eventLoop.lagP99Ms, eventLoopLagMs),
    memory: word(Math.max(memory.usedRatio, memory.heapRatio), memoryRatio),
  } as const;
  const overall = Object.values(areas).reduce((worst, it) => (SEVERITY[it] > SEVERITY[worst] ? it : worst));
  return { overall, ...areas };
}

/** One sentence about what to do first: the worst area, and among equals the likelier cause of the others. */
export function recommend(status: StatusReport, figures: JudgedFigures): string {
  if (status.overall === 'healthy') return 'All areas are healthy; nothing needs to be done.';
  // A full heap blocks the loop, a blocked loop makes requests slow, and slow requests end in errors.
  const order = ['memory', 'eventLoop', 'errors', 'latency'] as const;
  const area = order.find((it) => status[it] === status.overall) ?? 'memory';
  return `${ADVICE[area](figures)} (${area}: ${status[area]}).`;
}

const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

const ADVICE: Readonly<Record<'memory' | 'eventLoop' | 'errors' | 'latency', (it: JudgedFigures) => string>> =
  {
    memory: ({ memory }) =>
      memory.heapRatio > memory.usedRatio
        ? `The heap is at ${percent(memory.heapRatio)} of its limit: shrink the in-memory caches or raise --max-old-space-size`
        : `The process uses ${percent(memory.usedRatio)} of its memory limit: shrink the in-memory caches or raise the limit`,
    eventLoop: ({ eventLoop }) =>
      `Timers run ${eventLoop.lagP99Ms.toFixed(0)} ms late: find the synchronous work, or add a process`,
    errors: ({ recent }) =>
      `${percent(recent.errorRate)} of the requests fail with 5xx: look into the error log, by route in http_requests_total`,
    latency: ({ recent }) =>
      `The 95th percentile is ${(recent.p95Ms ?? 0).toFixed(0)} ms: look into the slow-request log and its phases`,
  };

function word(value: number, bounds: { readonly warning: number; readonly critical: number }): StatusWord {
  if (value >= bounds.critical) return 'critical';
  return value >= bounds.warning ? 'warning' : 'healthy';
}
