import { type JournalEntry } from './journal.js';

/** What was seen of one task, over all workers. */
export interface TaskExecutions {
  /** Handler calls that began. */
  begun: number;
  /** Of them, those that returned. */
  returned: number;
  /** Of them, those that threw, or reported an error for the item. */
  threw: number;
  /** Whether the last call that began came to an end. */
  lastEnded: boolean;
  /** In the order in which they were seen. */
  readonly fences: number[];
}

/** Puts together what the workers wrote. */
export class ExecutionRecord {
  readonly #byTask = new Map<string, TaskExecutions>();
  #begun = 0;

  get begun(): number {
    return this.#begun;
  }

  of(task: string, id: string): TaskExecutions {
    const key = `${task}/${id}`;
    let executions = this.#byTask.get(key);
    if (!executions) {
      executions = { begun: 0, returned: 0, threw: 0, lastEnded: true, fences: [] };
      this.#byTask.set(key, executions);
    }
    return executions;
  }

  note(entry: JournalEntry): void {
    const executions = this.of(entry.task, entry.id);
    if (entry.event === 'begun') {
      this.#begun++;
      executions.begun++;
      executions.fences.push(entry.fence);
      executions.lastEnded = false;
      return;
    }
    if (entry.error === undefined) executions.returned++;
    else executions.threw++;
    // Whoever was thought dead may end after the next has begun.
    if (entry.fence === Math.max(...executions.fences)) executions.lastEnded = true;
  }
}
