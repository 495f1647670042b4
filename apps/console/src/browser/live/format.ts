/** Numbers as people read them, always with their unit. */

const KIB = 1024;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Three digits at most, no trailing zeros. */
function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

export function bytes(value: number | null): string {
  if (value === null) return '–';
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log(value) / Math.log(KIB)), BYTE_UNITS.length - 1);
  return `${short(value / KIB ** power)} ${BYTE_UNITS[power]}`;
}

/** A whole number with its thousands apart. */
export function count(value: number | null): string {
  return value === null ? '–' : Math.round(value).toLocaleString('en');
}

/** Of a share from 0 to 1. 100 % and 0 % only when it is so. */
export function percent(share: number | null): string {
  if (share === null) return '–';
  if (share <= 0 || share >= 1) return `${Math.round(share * 100)} %`;
  return `${Math.min(99.9, Math.max(0.1, share * 100)).toFixed(1)} %`;
}

export function rate(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 0.01 ? '< 0.01' : short(perSecond)} /s`;
}

/** From milliseconds: in ms, s, min, h or days. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${short(ms)} ms`;
  if (ms < 60_000) return `${short(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${short(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${short(ms / 3_600_000)} h`;
  return `${short(ms / 86_400_000)} d`;
}

/** @param at ISO 8601 @param now ISO 8601 */
export function ago(at: string, now: string): string {
  return `${duration(Math.max(0, Date.parse(now) - Date.parse(at)))} ago`;
}

/** The time of the day here. @param at ISO 8601 */
export function clock(at: string): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

/** Of money: cents as long as they matter. */
export function dollars(usd: number): string {
  const digits = usd >= 100 ? 0 : usd >= 0.01 || usd === 0 ? 2 : 4;
  return `$${usd.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}
