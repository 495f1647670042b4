import { type Attempt } from './attempt.js';
import { type AbortSource } from './lazy-abort.js';
import { Slots } from './slots.js';

/** Lets calls of handlers begin: how many at once, and which may run beside each other. */
export class Admission {
  /** One call of suspects at a time, so that the death of the process points at it. */
  readonly #suspects = new Slots(1);
  /** Handlers that have been called and have not come back, those that were left behind included. */
  #unsettled = 0;

  constructor(private readonly slots: Slots) {}

  /**
   * For one call of a handler with these attempts, which have the same company. Waits for their turn, and notes it
   * with suspects.
   *
   * @returns ends the turn; must be called exactly once
   * @throws the signal's reason, when it aborts while waiting
   */
  async admit(attempts: readonly Attempt[], signal?: AbortSource): Promise<() => void> {
    const priority = Math.min(...attempts.map((it) => it.priority));
    const turn = attempts[0]?.company.turn;
    if (turn === 'common') return this.slots.acquire(priority, signal);
    const endTurn = await this.#suspects.acquire(priority, signal);
    try {
      const release = await this.slots.acquire(priority, signal, turn === 'alone');
      const alone = turn === 'alone' && this.#unsettled === 0;
      const live = attempts.filter((it) => !it.aborting.aborted);
      await Promise.all(live.map((it) => it.beginTrial(alone)));
      return () => {
        release();
        endTurn();
      };
    } catch (error) {
      endTurn();
      throw error;
    }
  }

  /** Follows a handler until it comes back, however late. */
  watch<T>(work: Promise<T>): Promise<T> {
    this.#unsettled++;
    const settled = () => void this.#unsettled--;
    work.then(settled, settled);
    return work;
  }
}
