import { type TaskClock } from '../clock.js';
import { type NewTask } from '../queue/new-task.js';

/** Which inline tasks stand for others with the same `dedupe.key`. */
export class InlineDuplicates {
  readonly #first = new Map<string, { readonly id: string; readonly until: number }>();

  constructor(private readonly clock: TaskClock) {}

  /** The id of the task that this one duplicates, if any; else this one is the first. */
  claim(task: NewTask): string | undefined {
    if (!task.dedupeKey) return undefined;
    const key = keyOf(task, task.dedupeKey);
    const first = this.#first.get(key);
    if (first && first.until > this.clock.now()) return first.id;
    this.#first.set(key, {
      id: task.id,
      until: this.clock.now() + (task.definition.dedupe?.windowMs ?? Infinity),
    });
    return undefined;
  }

  /** The task has ended. A window goes on. */
  release(task: NewTask): void {
    if (!task.dedupeKey) return;
    const key = keyOf(task, task.dedupeKey);
    const first = this.#first.get(key);
    if (first?.id === task.id && first.until === Infinity) this.#first.delete(key);
    for (const [other, { until }] of this.#first) if (until <= this.clock.now()) this.#first.delete(other);
  }
}

function keyOf(task: NewTask, dedupeKey: string): string {
  return `${task.definition.name}/${dedupeKey}`;
}
