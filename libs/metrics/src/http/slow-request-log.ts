import { type Logger } from '@nestjs/common';
import { type EventLoopFigures } from '../supervision/event-loop-monitor.js';
import { type Phase } from './request-phases.js';

/** What is known of a request above the slow-request bound. */
export interface SlowRequestReport {
  readonly requestId: string;
  readonly method: string;
  /** The route template, never the raw path. */
  readonly route: string;
  /** 0 when the client left before a status was chosen. */
  readonly statusCode: number;
  /** The client left before the response was complete. */
  readonly aborted: boolean;
  /** Milliseconds from request to the end of the response. */
  readonly durationMs: number;
  readonly phases: readonly Phase[];
  /** How late and how busy the event loop is: a slow request may be the victim of another. */
  readonly eventLoop: EventLoopFigures;
  /** What `describe` of the options knows of it. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Lines in one second; under overload every request is slow, and logging them all makes it worse. */
const MAX_LINES_PER_SECOND = 10;

/** The default `onSlowRequest`: one warning a slow request, at most ten a second, with a count of the others. */
export function slowRequestLogger(
  logger: Pick<Logger, 'warn'>,
  now: () => number,
): (report: SlowRequestReport) => void {
  let windowStart = -Infinity;
  let lines = 0;
  let suppressed = 0;
  return (report) => {
    const at = now();
    if (at - windowStart >= 1_000) {
      windowStart = at;
      lines = 0;
    }
    if (lines >= MAX_LINES_PER_SECOND) {
      suppressed++;
      return;
    }
    lines++;
    const durationMs = Math.round(report.durationMs * 1_000) / 1_000;
    logger.warn({
      message: 'slow request',
      ...report,
      durationMs,
      ...(suppressed > 0 ? { suppressed } : {}),
    });
    suppressed = 0;
  };
}
