import { type TaskState } from '../../queue/task-status.js';
import { TortureFailedError } from '../testing.errors.js';
import { type FaultCounts } from './faults.js';
import { type TaskFate } from './task-fate.js';

/** How one task came out of it. */
export interface TorturedTask {
  readonly task: string;
  readonly id: string;
  /** `null`: the store does not know it. */
  readonly state: TaskState | null;
  /** Handler calls that began, over all workers. */
  readonly executions: number;
  /** Of them, those that returned; the others threw, or died with their worker. */
  readonly returned: number;
  readonly threw: number;
  /** Of the last attempt. */
  readonly error?: string;
  /** Why it has not ended, as `explain` tells. */
  readonly why?: string;
}

/** What was done to the workers. */
interface TortureFacts extends Readonly<FaultCounts> {
  /** Give it to `torture` to have the same intervals again. */
  readonly seed: number;
  /** From the first submission to the end of the last task. */
  readonly elapsedMs: number;
  readonly kills: number;
  /** Worker processes that ended by themselves. */
  readonly crashes: number;
}

/** What `torture` saw. Every list holds tasks of `tasks`. */
export interface TortureReport extends TortureFacts {
  readonly tasks: readonly TorturedTask[];
  /** Submitted, and the store does not know them. */
  readonly lost: readonly TorturedTask[];
  /** Not ended in time. */
  readonly stuck: readonly TorturedTask[];
  /** The store says completed, and no handler call returned. */
  readonly phantoms: readonly TorturedTask[];
  /** Two handler calls had the same fence token. */
  readonly sharedFences: readonly TorturedTask[];
  /** Failed for good, by what the handler threw. */
  readonly failed: readonly TorturedTask[];
  /** Failed for good after their workers died. */
  readonly poisoned: readonly TorturedTask[];
  /** Handler returned more than once, so the effects must be repeatable: at least once is what is promised. */
  readonly repeated: readonly TorturedTask[];
  readonly completed: number;
  readonly cancelled: number;
  /** Handler calls that began. */
  readonly executions: number;
}

/** What may happen to tasks without `assertSurvived` throwing. */
export interface SurvivalAllowance {
  /** Handlers that throw until no attempt is left. @default 0 */
  readonly failed?: number;
  /** Payloads that kill their worker. @default 0 */
  readonly poisoned?: number;
}

/** So many tasks are named in a message. */
const NAMED = 5;

export function createReport(fates: readonly TaskFate[], facts: TortureFacts): TortureReport {
  const all = fates.map((fate) => ({ fate, task: toTorturedTask(fate) }));
  const those = (are: (fate: TaskFate) => boolean) => all.filter((it) => are(it.fate)).map((it) => it.task);
  const inState = (state: TaskState) => (fate: TaskFate) => fate.status?.state === state;
  const hasFailed = inState('failed');
  return {
    ...facts,
    tasks: all.map((it) => it.task),
    lost: those((it) => it.status === null),
    stuck: those((it) => it.explanation !== undefined),
    phantoms: those((it) => inState('completed')(it) && it.executions.returned === 0),
    sharedFences: those(({ executions: { fences } }) => new Set(fences).size < fences.length),
    failed: those((it) => hasFailed(it) && it.executions.lastEnded),
    poisoned: those((it) => hasFailed(it) && !it.executions.lastEnded),
    repeated: those((it) => it.executions.returned > 1),
    completed: those(inState('completed')).length,
    cancelled: those(inState('cancelled')).length,
    executions: fates.reduce((sum, it) => sum + it.executions.begun, 0),
  };
}

function toTorturedTask({ task, id, status, executions, explanation }: TaskFate): TorturedTask {
  const { begun, returned, threw } = executions;
  return {
    task,
    id,
    state: status?.state ?? null,
    executions: begun,
    returned,
    threw,
    ...(status?.error !== undefined && { error: status.error }),
    ...(explanation && { why: explanation.text }),
  };
}

/** @throws {TortureFailedError} tasks lost, stuck, completed unrun or failed; with the facts and the seed */
export function assertSurvived(report: TortureReport, allowed: SurvivalAllowance = {}): void {
  const problems = [
    problem('lost: the store does not know them', report.lost),
    problem('stuck: not ended in time', report.stuck),
    problem('completed although no handler returned', report.phantoms),
    problem('run twice with one fence token', report.sharedFences),
    problem('failed by their handlers', report.failed, allowed.failed),
    problem('failed because their workers died', report.poisoned, allowed.poisoned),
  ].filter((it) => it !== undefined);
  if (problems.length > 0) throw new TortureFailedError(problems, describeReport(report));
}

/** For people: what happened, in a few lines. */
export function describeReport(report: TortureReport): string {
  const { tasks, completed, cancelled, failed, poisoned, repeated, executions } = report;
  return [
    `${tasks.length} tasks in ${Math.round(report.elapsedMs)} ms: ${completed} completed, ${cancelled} cancelled, ` +
      `${failed.length} failed, ${poisoned.length} poisoned; ${executions} executions, ${repeated.length} tasks returned more than once`,
    `${report.kills} kills, ${report.crashes} crashes, ${report.blockedLoops} blocked loops, ${report.storePauses} pauses of the store; seed ${report.seed}`,
  ].join('\n');
}

function problem(what: string, tasks: readonly TorturedTask[], allowed = 0): string | undefined {
  if (tasks.length <= allowed) return undefined;
  const named = tasks.slice(0, NAMED).map(describeTask).join('; ');
  return `${tasks.length} ${what}: ${named}${tasks.length > NAMED ? '; …' : ''}`;
}

function describeTask(it: TorturedTask): string {
  const why = it.why ?? it.error;
  return `${it.task}/${it.id} (${it.state ?? 'unknown'}, ${it.executions} executions${why ? `: ${why}` : ''})`;
}
