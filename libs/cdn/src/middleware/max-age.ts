const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_557_600_000,
};
const LONGEST_SECONDS = 31_536_000;

/**
 * `Cache-Control` as serve-static makes it.
 *
 * @param maxAge milliseconds, or a number with a unit: `1.5h`, `30 days`, `1y`
 */
export function cacheControlForMaxAge(maxAge: number | string | undefined, isImmutable: boolean): string {
  const ms = typeof maxAge === 'string' ? parseDuration(maxAge) : (maxAge ?? 0);
  const seconds = Number.isNaN(ms) ? 0 : Math.floor(Math.min(Math.max(0, ms / 1_000), LONGEST_SECONDS));
  return `public, max-age=${seconds}${isImmutable ? ', immutable' : ''}`;
}

function parseDuration(text: string): number {
  const [, amount, unit = 'ms'] = /^(-?\d*\.?\d+) *([a-z]+)?$/i.exec(text.trim()) ?? [];
  if (amount === undefined) return Number.NaN;
  const name = unit.toLowerCase();
  // `days`, `hrs` and `sec` begin as their unit does; `ms` alone has two letters.
  const unitMs = UNITS_MS[name] ?? (/^m(sec|illi)/.test(name) ? 1 : UNITS_MS[name.charAt(0)]);
  return unitMs === undefined ? Number.NaN : Number(amount) * unitMs;
}
