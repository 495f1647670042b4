import { setImmediate as afterInput } from 'node:timers/promises';

/** Longer groups would hold back what has ended first. */
const MAX_GROUP = 200;

interface Waiting<Part, Answer> {
  readonly part: Part;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns many calls that come at about the same time into few: while some are under way, the others gather and go
 * together (group commit, DeWitt et al. 1984). An idle caller waits for nothing.
 */
export class GroupedTurns<Part, Answer> {
  #waiting: Waiting<Part, Answer>[] = [];
  #running = 0;
  #isScheduled = false;

  /**
   * @param run answers a group
   * @param atOnce groups that may be under way
   */
  constructor(
    private readonly run: (parts: readonly Part[]) => Promise<Answer>,
    private readonly atOnce: number,
  ) {}

  /** The answer to the group that the part was in. @throws what `run` throws */
  add(part: Part): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ part, resolve, reject });
    void this.#schedule();
    return promise;
  }

  /** After what is ready to run: tasks that came together and end together go together again. */
  async #schedule(): Promise<void> {
    if (this.#isScheduled || this.#running >= this.atOnce) return;
    this.#isScheduled = true;
    await afterInput();
    this.#isScheduled = false;
    const group = this.#waiting.splice(0, MAX_GROUP);
    if (group.length > 0) void this.#serve(group);
  }

  async #serve(group: readonly Waiting<Part, Answer>[]): Promise<void> {
    this.#running++;
    try {
      const answer = await this.run(group.map((it) => it.part));
      for (const it of group) it.resolve(answer);
    } catch (error) {
      for (const it of group) it.reject(error);
    } finally {
      this.#running--;
      if (this.#waiting.length > 0) void this.#schedule();
    }
  }
}
