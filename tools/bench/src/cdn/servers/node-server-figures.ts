/** Argument of the child: count what comes. */
export const COUNT_REQUESTS = '--count';

/** What the child answers to any message. */
export interface NodeServerFigures {
  /** CPU that it has used since its start, microseconds. */
  readonly cpuMicroseconds: number;
  /** That have come so far; 0 where they are not counted. */
  readonly requests: number;
}
