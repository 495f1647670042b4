import { type Phase } from './request-phases.js';

/**
 * The value of `Server-Timing` (https://www.w3.org/TR/server-timing/): the total first, then the phases, rounded down so
 * that rounding never makes them more than the total.
 *
 * @param total as of {@link formatMs}
 */
export function formatServerTiming(total: string, phases: readonly Phase[]): string {
  let header = `total;dur=${total}`;
  for (const phase of phases) {
    header += `, ${phase.name};dur=${formatMicroseconds(Math.floor(phase.durationMs * 1_000))}`;
    if (phase.description !== undefined) header += `;desc="${toQuoted(phase.description)}"`;
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
