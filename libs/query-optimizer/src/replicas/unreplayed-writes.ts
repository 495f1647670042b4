import { type WalPosition } from './wal-position.js';

/** Writes of one time. */
interface Mark {
  /** A place in the log behind them; undefined until the primary was asked. */
  position: WalPosition | undefined;
}

/** More are taken for a write to everything. */
const MAX_TAGS = 10_000;

/**
 * What was written and is perhaps not replayed by every replica, by the tags of what a result depends on: a read that
 * carries none of them may go to a replica, however much else is written. Where a write stands in the log is learned
 * from a question to the primary after it, so the writer waits for nothing.
 */
export class UnreplayedWrites {
  readonly #marks = new Map<string, Mark>();
  #current: Mark = { position: undefined };
  /** At the start nothing is known. */
  #everything: Mark | undefined = this.#current;
  readonly #unplaced: Mark[] = [this.#current];

  note(tags: readonly string[]): void {
    if (this.#marks.size + tags.length > MAX_TAGS) return this.noteAll();
    for (const it of tags) this.#marks.set(it, this.#current);
  }

  noteAll(): void {
    this.#marks.clear();
    this.#everything = this.#current;
  }

  get isEmpty(): boolean {
    return this.#marks.size === 0 && !this.#everything;
  }

  /**
   * To be called before the primary is asked for its position.
   *
   * @returns to be called with its answer; without one, the writes wait for the next
   */
  ask(): (position: WalPosition) => void {
    const asked = this.#unplaced.length;
    this.#current = { position: undefined };
    this.#unplaced.push(this.#current);
    return (position) => {
      for (const it of this.#unplaced.splice(0, asked)) it.position = position;
    };
  }

  /** Whether a replica that has replayed so much has every write of the tags. */
  isReplayed(tags: readonly string[], position: WalPosition): boolean {
    const isBehind = (mark: Mark | undefined) =>
      mark !== undefined && (mark.position === undefined || mark.position > position);
    return !isBehind(this.#everything) && !tags.some((it) => isBehind(this.#marks.get(it)));
  }

  /** @param position all replicas have replayed so much */
  forget(position: WalPosition): void {
    const isDone = (mark: Mark) => mark.position !== undefined && mark.position <= position;
    for (const [tag, mark] of this.#marks) if (isDone(mark)) this.#marks.delete(tag);
    if (this.#everything && isDone(this.#everything)) this.#everything = undefined;
  }
}
