import { Logger } from '@nestjs/common';
import { type Catalogue } from '../catalogue/catalogue.js';

/** Looks within the time that an old schema is borne, so that one that fails or is slow does no harm. */
const LOOKS = 3;

/** Looks from time to time whether somebody else has changed the schema: one small query. */
export class SchemaCheck {
  readonly #logger = new Logger(SchemaCheck.name);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #knownUpTo = -Infinity;
  #isStopped = false;

  /** @param changed what was cached by the old schema is not worth its memory */
  constructor(
    private readonly catalogue: Catalogue,
    private readonly maxStalenessMs: number,
    private readonly changed: () => Promise<void>,
  ) {}

  /** Whether the schema in memory is at most `maxStalenessMs` old. */
  get isFresh(): boolean {
    return performance.now() - this.#knownUpTo <= this.maxStalenessMs;
  }

  /** @param knownUpTo when the catalogue was read. Milliseconds of the monotonic clock. */
  start(knownUpTo: number): void {
    this.#knownUpTo = knownUpTo;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Now. @throws {QueryCatalogueError} */
  async look(): Promise<void> {
    const lookedAt = performance.now();
    if (await this.catalogue.refreshIfChanged()) await this.changed();
    this.#knownUpTo = lookedAt;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look()
        .catch((error: unknown) => this.#isStopped || this.#logger.warn(String(error)))
        .then(() => this.#schedule());
    }, this.maxStalenessMs / LOOKS).unref();
  }
}
