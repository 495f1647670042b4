import { TASK_PRIORITIES } from '@peregrine/task-queue';
import { z } from 'zod';

const count = z.number().min(0);

/** What a process writes of itself into its row. Other versions may write more. */
export const processFiguresSchema = z.object({
  node: z.string(),
  rssBytes: count,
  memoryLimitBytes: count,
  heapUsedBytes: count,
  heapLimitBytes: count,
  loopLagP99Ms: count,
  /** 0 to 1. */
  loopUtilization: count,
  /** Connections to PostgreSQL. */
  poolInUse: count,
  poolCapacity: count,
  /** Of the tasks that began in it, by class; the buckets are those of `WAIT_BUCKETS_S`. */
  waits: z.array(
    z.object({
      priority: z.enum(TASK_PRIORITIES),
      promisedMs: count,
      /** Since the process started. */
      started: count,
      missed: count,
      /** Of the last five minutes; not cumulative. */
      recentBuckets: z.array(count),
      recentMissed: count,
    }),
  ),
});

export type ProcessFigures = Readonly<z.output<typeof processFiguresSchema>>;

/** A process of the platform, by what it wrote last. */
export interface PlatformProcess {
  readonly id: string;
  readonly role: 'api' | 'worker';
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** How long it has written nothing, by the clock of the database. */
  readonly silentMs: number;
  /** Silent for too long, and it did not take its leave: killed, out of memory, or cut off. */
  readonly isGone: boolean;
  /** Null: a version that this one does not understand wrote them. */
  readonly figures: ProcessFigures | null;
}
