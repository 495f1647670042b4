import { type Verdict } from '@peregrine/console';
import { count, type Judged, ms, percent, well } from './judged.js';

const page = 'queue';
/** For so long a dead worker is worth a warning; then it was replaced, or the queue says what is wrong. */
const MOURNED_MS = 15 * 60_000;

export function queueVerdict({ queue }: Judged): Verdict {
  if (queue.problem !== null || queue.pending === null) {
    return {
      level: 'warning',
      page,
      title: 'The task queue does not answer',
      why: queue.problem ?? 'Its store has not answered yet.',
      todo: 'Bring Redis or PostgreSQL back; tasks that were taken are kept and go on then.',
      runbook: 'queue-stalled',
    };
  }
  const why = `${count(queue.pending)} tasks wait, ${queue.running ?? 0} run, ${percent(queue.successRate)} succeed.`;
  const dead = queue.deadLettered ?? 0;
  if (dead > 0) {
    const title = dead === 1 ? '1 task failed for good' : `${count(dead)} tasks failed for good`;
    const todo = 'Read the errors, remove their cause, then put them back to work.';
    return { level: 'warning', page, title, why, todo, runbook: 'dead-letters' };
  }
  return well(page, 'Tasks are worked on', why);
}

/** Whether the classes keep what they promise. */
export function waitsVerdict({ queue }: Judged): Verdict {
  const recent = queue.classes.filter((it) => it.recent.started > 0);
  const missed = recent.filter((it) => it.recent.missed > 0);
  const [worst] = missed.toSorted((a, b) => b.recent.missed - a.recent.missed);
  if (worst) {
    const { priority, promisedMs } = worst;
    return {
      level: 'warning',
      page,
      title: `Tasks of the class ${missed.map((it) => it.priority).join(', ')} wait too long`,
      why: `${count(worst.recent.missed)} of ${count(worst.recent.started)} ${priority} tasks of the last five minutes waited longer than the ${ms(promisedMs)} that are promised.`,
      todo: 'Start more workers, or raise WORKER_CONCURRENCY where they are idle; look for what fills the queue.',
      runbook: 'queue-wait-too-long',
    };
  }
  const why =
    recent.length === 0
      ? 'No task has started in the last five minutes.'
      : `95 % of each class started within ${recent.map((it) => `${ms(it.recent.p95Ms)} (${it.priority})`).join(', ')}.`;
  return well(page, 'No task waits longer than promised', why);
}

/** Whether there is somebody to work, and who died. */
export function workersVerdict({ processes, queue, metrics }: Judged): Verdict {
  if (processes.problem !== null) {
    return {
      ...{ level: 'unknown' as const, page, title: 'Which workers run is not known' },
      ...{ why: processes.problem, todo: '', runbook: null },
    };
  }
  const workers = processes.all.filter((it) => it.role === 'worker');
  const alive = workers.filter((it) => !it.isGone);
  const died = workers.filter((it) => it.isGone && Date.now() - Date.parse(it.seenAt) < MOURNED_MS);
  const runbook = 'queue-stalled';
  const lost = died.map(({ host, pid }) => `${pid} on ${host}`).join(', ');
  if (alive.length === 0 && metrics.uptimeSeconds > 30) {
    const waiting = queue.pending ?? 0;
    return {
      level: waiting > 0 ? 'critical' : 'warning',
      page,
      title: 'No worker runs',
      why: `${count(waiting)} tasks wait and nobody takes them${lost === '' ? '' : `; silent: ${lost}`}.`,
      todo: 'Start one: npm start runs one; in production look why the workers ended.',
      runbook,
    };
  }
  if (died.length > 0) {
    return {
      level: 'warning',
      page,
      title: died.length === 1 ? 'A worker died' : `${died.length} workers died`,
      why: `Silent without having taken leave: ${lost}; ${alive.length} run. Others take over what they held.`,
      todo: 'Look into its log and its limits: killed for its memory, or cut off from the database?',
      runbook,
    };
  }
  return well(page, alive.length === 1 ? '1 worker runs' : `${alive.length} workers run`, 'None has died.');
}
