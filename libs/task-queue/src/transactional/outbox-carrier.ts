import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { TASK_PRIORITIES } from '../definition/task-priority.js';
import { traceOf } from '../tracing/trace-context.js';
import { storableError } from '../execution/storable-text.js';
import { type NewTask } from '../queue/new-task.js';
import { type TaskStore } from '../queue/task-store.js';
import { FRESH_MS, type Relayed, RelayStaleError, type RelayTarget } from './joinable-store.js';
import { type OutboxRow, type OutboxTable } from './outbox-table.js';
import { type QueryClient, type TransactionSource } from './transaction-source.js';

const LARGEST_BATCH = 500;
const POSTPONED_MS = 60_000;
/** A store that is away for a moment may answer again right after it has refused a row. */
const REFUSALS_TO_BLAME = 3;

/** `busy`: another process is at it. */
type Round = 'more' | 'empty' | 'busy';

/**
 * Brings tasks from the outbox to the store, one process at a time and in the order of their submission: reads and
 * locks rows, has the store take them, deletes them, commits. A process that is killed in between leaves its rows to
 * the next; the store knows by their marks which of them it took.
 */
export class OutboxCarrier {
  readonly #tasks: ReadonlyMap<string, AnyTaskDefinition>;
  #batch = LARGEST_BATCH;
  /** The row that the store refused last, alone. */
  #refused = { id: '', times: 0 };
  #relayed = 0;

  constructor(
    private readonly source: TransactionSource,
    private readonly table: OutboxTable,
    private readonly store: TaskStore,
    readonly target: RelayTarget,
    tasks: readonly AnyTaskDefinition[],
  ) {
    this.#tasks = new Map(tasks.map((it) => [it.name, it]));
  }

  /** Tasks that were brought. */
  get relayed(): number {
    return this.#relayed;
  }

  /** @throws the error of the database or of the store; what was read is still there, or marked */
  async round(): Promise<Round> {
    const { source, table, target } = this;
    const limit = this.#batch;
    let rows: OutboxRow[] = [];
    let taken: string[] = [];
    try {
      const isFree = await source.run(async (client) => {
        const readAt = performance.now();
        if (!(await table.lock(client))) return false;
        rows = await table.read(client, [...this.#tasks.keys()], limit);
        taken = await this.#relay(client, rows, () => performance.now() - readAt < FRESH_MS);
        return true;
      });
      if (!isFree) return 'busy';
    } catch (error) {
      if (error instanceof RelayStaleError) return 'busy';
      await this.#narrow(rows, error);
      throw error;
    }
    this.#batch = Math.min(2 * limit, LARGEST_BATCH);
    this.#relayed += taken.length;
    if (taken.length > 0) await target.settle(taken);
    return rows.length < limit ? 'empty' : 'more';
  }

  /** @returns the ids of the rows that the store has taken */
  async #relay(client: QueryClient, rows: readonly OutboxRow[], isFresh: () => boolean): Promise<string[]> {
    const relayed: Relayed[] = [];
    for (const row of rows) {
      const task = this.#toTask(row);
      if (task) relayed.push({ marker: row.id, task });
      else await this.table.postpone(client, row.id, 'It is not a task', POSTPONED_MS);
    }
    if (relayed.length === 0) return [];
    await this.target.take(relayed, isFresh);
    const ids = relayed.map((it) => it.marker);
    await this.table.remove(client, ids);
    return ids;
  }

  /** Fewer at once the next time, down to the one that the store refuses; that one then lets others go first. */
  async #narrow(rows: readonly OutboxRow[], error: unknown): Promise<void> {
    const [only] = rows;
    const isAlone = rows.length === 1 && only;
    if (rows.length > 1) this.#batch = Math.ceil(rows.length / 2);
    if (!isAlone || !(await this.#storeAnswers())) return;
    this.#refused = { id: only.id, times: this.#refused.id === only.id ? this.#refused.times + 1 : 1 };
    if (this.#refused.times < REFUSALS_TO_BLAME) return;
    const { message } = storableError(error);
    await this.source.run((client) => this.table.postpone(client, only.id, message, POSTPONED_MS));
  }

  async #storeAnswers(): Promise<boolean> {
    return this.store.ping().then(
      () => true,
      () => false,
    );
  }

  /** `undefined`: it cannot be one; somebody may have written to the table by hand. */
  #toTask(row: OutboxRow): NewTask | undefined {
    const definition = this.#tasks.get(row.task);
    if (!definition || !TASK_PRIORITIES.includes(row.priority)) return undefined;
    const { taskId, payload, schemaVersion, priority, delayMs, dedupeKey, submittedAtMs, trace } = row;
    const isDue = submittedAtMs + delayMs <= Date.now();
    return {
      definition,
      id: taskId,
      payload,
      schemaVersion,
      priority,
      // What is due has nothing to wait for any more, and is due since then.
      delayMs: isDue ? 0 : delayMs,
      submittedAtMs: isDue ? submittedAtMs + delayMs : submittedAtMs,
      ...(dedupeKey !== null && { dedupeKey }),
      ...(trace !== null && { trace: traceOf(trace) }),
    };
  }
}
