import { type Logger } from '@nestjs/common';

const INTERVAL_MS = 10_000;

/** Says the same thing at most once in ten seconds, with the number of times it kept quiet. */
export class ThrottledLog {
  readonly #last = new Map<string, { at: number; suppressed: number }>();

  constructor(private readonly logger: Logger) {}

  /** @param topic what counts as the same; one of few */
  warn(topic: string, error: unknown): void {
    const last = this.#last.get(topic);
    const now = performance.now();
    if (last && now - last.at < INTERVAL_MS) {
      last.suppressed++;
      return;
    }
    const again = last && last.suppressed > 0 ? ` (and ${last.suppressed} times before)` : '';
    this.#last.set(topic, { at: now, suppressed: 0 });
    this.logger.warn(`${topic}: ${error instanceof Error ? describe(error) : String(error)}${again}`);
  }
}

/** A refused connection is an AggregateError without a message. */
function describe(error: Error): string {
  if (error.message !== '') return error.message;
  return error instanceof AggregateError ? error.errors.map(String).join(', ') : error.name;
}
