import { type ActionsFigures, type RecentAction } from '@peregrine/console';
import { type CursorCodec } from '@peregrine/database';
import { type AuditedTask, type AuditEvent, type AuditTrail } from '@peregrine/runtime';
import { type TaskQueue, type TaskStatus } from '@peregrine/task-queue';
import { LastKnown } from './last-known.js';

const ACTIONS = { maxAgeMs: 2_000, waitMs: 1_000 };
const MOST_EVENTS = 100;
const MOST_ACTIONS = 40;
const OUTCOMES = { requested: 'under way', succeeded: 'done', failed: 'failed', refused: 'refused' } as const;
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** An action with the task that does it. */
export interface FoldedAction {
  readonly action: Omit<RecentAction, 'progress'>;
  readonly task: AuditedTask | null;
}

/** What operators have done lately, as far as the database answers. */
export class ActionsReader {
  readonly #recent: LastKnown<RecentAction[]>;

  constructor(
    private readonly trail: AuditTrail,
    private readonly cursors: CursorCodec,
    private readonly tasks: TaskQueue,
  ) {
    this.#recent = new LastKnown(() => this.#read(), [], ACTIONS);
  }

  async read(): Promise<ActionsFigures> {
    const { value, problem } = await this.#recent.get();
    return { recent: value, problem };
  }

  /** After an operator changed something. */
  expire(): void {
    this.#recent.expire();
  }

  async #read(): Promise<RecentAction[]> {
    const { items } = await this.trail.list({ limit: MOST_EVENTS }, this.cursors);
    const folded = foldActions(items).slice(0, MOST_ACTIONS);
    return Promise.all(folded.map((it) => this.#withProgress(it)));
  }

  /** Asks for the few tasks that may be under way only. */
  async #withProgress({ action, task }: FoldedAction): Promise<RecentAction> {
    const definition = task && this.tasks.definition(task.name);
    if (action.outcome !== 'under way' || !task || !definition) return { ...action, progress: null };
    const status = await this.tasks.status(definition, task.id);
    if (status && ENDED.has(status.state)) return { ...action, ...endOf(status), progress: null };
    return { ...action, progress: status ? progressOf(status) : null };
  }
}

/** The events of one deed together, the newest deed first. @param events the newest first */
export function foldActions(events: readonly AuditEvent[]): FoldedAction[] {
  const byDeed = new Map<string, FoldedAction>();
  for (const event of events.toReversed()) {
    const key = event.requestId ?? `${event.task?.name}~${event.task?.id}`;
    const known = byDeed.get(key);
    const isEnd = event.event !== 'requested';
    byDeed.set(key, {
      task: event.task ?? known?.task ?? null,
      action: {
        id: known?.action.id ?? event.id,
        at: known?.action.at ?? event.occurredAt.toISOString(),
        actor: event.actor.name,
        action: event.action,
        subject: event.subject,
        outcome: OUTCOMES[event.event],
        detail: event.detail ?? known?.action.detail ?? null,
        endedAt: isEnd ? event.occurredAt.toISOString() : null,
      },
    });
  }
  return [...byDeed.values()].toReversed();
}

/** Its end is not in the audit: it was cancelled before it began, or the audit did not answer then. */
function endOf({ state, error, cancelReason, finishedAt }: TaskStatus) {
  return {
    outcome: state === 'completed' ? ('done' as const) : ('failed' as const),
    detail: error ?? cancelReason ?? null,
    endedAt: finishedAt?.toISOString() ?? null,
  };
}

function progressOf({ state, progress }: TaskStatus): string {
  if (typeof progress === 'object' && progress !== null && 'text' in progress) return String(progress.text);
  return state === 'running' ? 'It runs.' : 'It waits for a worker.';
}
