import { type ClassFigures, type PlatformProcesses, type PlatformProcessFigures } from '@peregrine/console';
import { quantileMs } from '@peregrine/metrics';
import { type PlatformProcess, type ProcessFigures, type ProcessRegister } from '@peregrine/runtime';
import { TASK_PRIORITIES, WAIT_BUCKETS_S } from '@peregrine/task-queue';
import { LastKnown } from './last-known.js';

const PROCESSES = { maxAgeMs: 2_000, waitMs: 1_000 };

type Waits = ProcessFigures['waits'][number];

/** All processes of the platform, as far as the database answers. */
export class ProcessReader {
  readonly #processes: LastKnown<PlatformProcess[]>;

  constructor(register: Pick<ProcessRegister, 'list'>) {
    this.#processes = new LastKnown(() => register.list(), [], PROCESSES);
  }

  async read(): Promise<{ processes: PlatformProcesses; classes: ClassFigures[] }> {
    const { value, problem } = await this.#processes.get();
    return { processes: { all: value.map(describe), problem }, classes: classesOf(value) };
  }
}

/** The waits of all processes that run, by class; of the classes that there are where none has told yet. */
export function classesOf(processes: readonly PlatformProcess[]): ClassFigures[] {
  const all = processes.flatMap(({ isGone, figures }) => (isGone ? [] : (figures?.waits ?? [])));
  return TASK_PRIORITIES.flatMap((priority) => {
    const its = all.filter((it) => it.priority === priority);
    const [one] = its;
    if (!one) return [];
    const sum = (of: (it: Waits) => number) => its.reduce((total, it) => total + of(it), 0);
    const buckets = one.recentBuckets.map((_, index) => sum((it) => it.recentBuckets[index] ?? 0));
    const quantile = (q: number) => quantileMs(buckets, q, WAIT_BUCKETS_S);
    return [
      {
        priority,
        promisedMs: one.promisedMs,
        started: sum((it) => it.started),
        missed: sum((it) => it.missed),
        recent: {
          started: buckets.reduce((total, it) => total + it, 0),
          missed: sum((it) => it.recentMissed),
          p50Ms: quantile(0.5),
          p95Ms: quantile(0.95),
        },
      },
    ];
  });
}

function describe({
  figures,
  startedAt,
  seenAt,
  silentMs: _,
  ...its
}: PlatformProcess): PlatformProcessFigures {
  return {
    ...its,
    startedAt: startedAt.toISOString(),
    seenAt: seenAt.toISOString(),
    figures: figures && {
      rssBytes: figures.rssBytes,
      memoryLimitBytes: figures.memoryLimitBytes,
      heapUsedBytes: figures.heapUsedBytes,
      heapLimitBytes: figures.heapLimitBytes,
      loopLagP99Ms: figures.loopLagP99Ms,
      poolInUse: figures.poolInUse,
      poolCapacity: figures.poolCapacity,
      tasksStarted: figures.waits.reduce((sum, it) => sum + it.started, 0),
    },
  };
}
