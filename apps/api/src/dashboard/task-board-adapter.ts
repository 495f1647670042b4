import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { type BullQueue } from '@peregrine/task-queue';

type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];
type Queue = NonNullable<Awaited<ReturnType<BullQueue['get']>>>;
type JobCounts = Awaited<ReturnType<BullMQAdapter['getJobCounts']>>;
type JobStatuses = Parameters<BullMQAdapter['getJobs']>[0];

const MAX_JOBS_PER_PAGE = 100;

/** The queue as the board sees it: to look at, at a bounded cost on either store. */
export class TaskBoardAdapter extends BullMQAdapter {
  constructor(
    queue: Queue,
    private readonly tasks: Pick<BullQueue, 'counts'>,
  ) {
    // A retry through BullMQ would give the task no new deadline, and its dead letter no redrive.
    // The types of the board know Redis only; the board itself has been made for PostgreSQL as well.
    super(queue as unknown as BoardQueue, { readOnlyMode: true, displayName: 'tasks' });
    this.setFormatter('data', readable);
    this.setFormatter('returnValue', parsed);
  }

  /** BullMQ's own count reads every row on PostgreSQL, and the board asks every few seconds. */
  override async getJobCounts(): Promise<JobCounts> {
    const { waiting, running, delayed, completed, failed } = await this.tasks.counts();
    // Every task has a priority.
    const counts = { prioritized: waiting, active: running, delayed, completed, failed };
    return { latest: 0, waiting: 0, 'waiting-children': 0, paused: 0, ...counts };
  }

  override getJobs(statuses: JobStatuses, start = 0, end = start): ReturnType<BullMQAdapter['getJobs']> {
    return super.getJobs(statuses, start, Math.min(end, start + MAX_JOBS_PER_PAGE - 1));
  }
}

/** Payloads lie in the store as text. */
function readable(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'payload' in data
    ? { ...data, payload: parsed(data.payload) }
    : data;
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Such as the reason of a cancellation.
    return text;
  }
}
