import { type Logger } from '@nestjs/common';
import { describeFinding, type NPlusOneFinding } from '@peregrine/query-optimizer';

/** Beyond this many places a process says no more: somebody reads the first ones first. */
const MAX_PLACES = 1_000;

/** Tells a developer of queries in a loop, with the line and the rewrite: each place once, however often it runs. */
export class LoopWarnings {
  readonly #told = new Set<string>();

  constructor(private readonly log: Pick<Logger, 'warn'>) {}

  warn(finding: NPlusOneFinding): void {
    const place = `${finding.fingerprint} ${finding.where}`;
    if (this.#told.has(place) || this.#told.size >= MAX_PLACES) return;
    this.#told.add(place);
    this.log.warn(describeFinding(finding));
  }
}
