/** From most to least urgent. */
export const TASK_PRIORITIES = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW', 'BATCH'] as const;

/** A class of urgency: it promises how long a task waits at most for a worker, see the option `priorities`. */
export type TaskPriority = (typeof TASK_PRIORITIES)[number];
