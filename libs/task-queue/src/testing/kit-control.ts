import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ControlledRunner, type InlineControl } from '../inline/inline-control.js';
import { type InlineTask } from '../inline/inline-task.js';
import { type NewTask } from '../queue/new-task.js';

/** Turns of the event loop in which tasks that begin together come to their batch. */
const GATHERING_TURNS = 5;
/** Turns that a running handler gets before the clock goes on without it. */
const PATIENT_TURNS = 50;

/** Holds tasks until the test lets them go. */
export class KitControl implements InlineControl {
  readonly acceptsUnhandled: boolean;
  /** In the order of their submission. */
  readonly tasks: InlineTask[] = [];
  readonly #held = new Map<InlineTask, () => void>();
  #runner: ControlledRunner | undefined;

  constructor(private readonly mode: 'inline' | 'manual') {
    this.acceptsUnhandled = mode === 'manual';
  }

  attach(runner: ControlledRunner): void {
    this.#runner = runner;
  }

  accepted(inline: InlineTask): void {
    this.tasks.push(inline);
  }

  async admit(inline: InlineTask, signal: AbortSignal): Promise<void> {
    if (this.mode === 'inline') return;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#held.set(inline, resolve);
    try {
      await promise;
    } finally {
      this.#held.delete(inline);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async submitted(_task: NewTask, inline: InlineTask): Promise<void> {
    if (this.mode === 'inline') await this.rested([inline]);
  }

  /** Those that wait for nothing but the test. */
  held(): InlineTask[] {
    return this.tasks.filter((it) => this.#held.has(it));
  }

  /** One attempt of each begins, together. */
  async release(tasks: readonly InlineTask[]): Promise<void> {
    for (const it of tasks) this.#held.get(it)?.();
    for (let turn = 0; turn < GATHERING_TURNS; turn++) await nextTurn();
  }

  /** Until each has ended, is delayed, held again, or paused. */
  async rested(tasks: readonly InlineTask[]): Promise<void> {
    for (let turn = 0; turn < GATHERING_TURNS; turn++) await nextTurn();
    while (!this.areAtRest(tasks)) await this.turn();
  }

  areAtRest(tasks: readonly InlineTask[] = this.tasks): boolean {
    return tasks.every((it) => this.#rests(it));
  }

  /** Everything goes on a little; batches are called with what they have. */
  async turn(): Promise<void> {
    this.#runner?.flush();
    await nextTurn();
  }

  /** Until whatever is under way has come as far as it can without the clock; a slow handler is not waited for. */
  async settle(): Promise<void> {
    await nextTurn();
    for (let turn = 0; turn < PATIENT_TURNS && !this.areAtRest(); turn++) {
      if (turn < GATHERING_TURNS) await nextTurn();
      else await this.turn();
    }
  }

  #rests(inline: InlineTask): boolean {
    if (inline.finishedAt || inline.state === 'delayed' || this.#held.has(inline)) return true;
    return this.#runner?.isPaused === true && !inline.attempt;
  }
}
