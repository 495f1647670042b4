import { type PhaseName } from './phase-name.js';

/** A phase and those that follow it: a list that grows without an array for each request. */
export interface LinkedPhase {
  readonly name: PhaseName;
  /** Milliseconds. */
  readonly durationMs: number;
  readonly description: string | undefined;
  readonly next: LinkedPhase | undefined;
}

/**
 * The value of `Server-Timing` (https://www.w3.org/TR/server-timing/): the total first, then the phases, rounded down so
 * that rounding never makes them more than the total.
 *
 * @param total as of {@link formatMs}
 */
export function formatServerTiming(total: string, first: LinkedPhase | undefined): string {
  let header = `total;dur=${total}`;
  for (let it = first; it; it = it.next) {
    header += it.name.beginning + formatMicroseconds(Math.floor(it.durationMs * 1_000));
    if (it.description !== undefined) header += `;desc="${toQuoted(it.description)}"`;
  }
  return header;
}

/** Three decimals: microseconds are the finest that means anything here. */
export function formatMs(ms: number): string {
  return formatMicroseconds(Math.max(0, Math.round(ms * 1_000)));
}

/** The thousandths of a millisecond as digits: no number becomes text on the way of a request but the whole part. */
const THOUSANDTHS = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, '0'));

/** As `toFixed(3)` of milliseconds, which is several times slower. */
function formatMicroseconds(microseconds: number): string {
  const rest = microseconds % 1_000;
  return `${(microseconds - rest) / 1_000}.${THOUSANDTHS[rest]}`;
}

/** Printable ASCII only, with the two characters escaped that a quoted string cannot hold: no header injection. */
function toQuoted(text: string): string {
  return text
    .slice(0, 100)
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/["\\]/g, '\\$&');
}
