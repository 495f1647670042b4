import { type Client } from 'pg';
import { LeaseReleasedError } from './pool.errors.js';

/** A connection, for as long as it is not released. */
export class Lease implements Disposable {
  #isReleased = false;

  constructor(
    readonly client: Client,
    private readonly giveBack: (error?: Error) => void,
  ) {}

  /**
   * Gives the connection back, or closes it for good when an error says that it is of no use. A transaction that was
   * left open is rolled back.
   *
   * @throws {LeaseReleasedError}
   */
  release(error?: Error): void {
    if (this.#isReleased) throw new LeaseReleasedError();
    this.#isReleased = true;
    this.giveBack(error);
  }

  /** Does nothing after `release`. */
  [Symbol.dispose](): void {
    if (!this.#isReleased) this.release();
  }
}
