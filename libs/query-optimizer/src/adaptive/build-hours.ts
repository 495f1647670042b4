import { z } from 'zod';

/** Minutes of the day, `from` included, `to` not; `to` at or below `from` is of the next day. */
interface BuildWindow {
  readonly from: number;
  readonly to: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const WINDOW = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))$/;
/** A week: a window that a change of the clock has swallowed comes back on the next day. */
const LOOKED_AHEAD_MINUTES = 7 * DAY_MINUTES;

const window = z
  .string()
  .regex(WINDOW, 'must be two times of day, such as 22:00-04:30')
  .refine(
    (it) => !WINDOW.test(it) || !isEmpty(windowOf(it)),
    'must not end when it begins; without hours it is any time',
  );

export const buildHoursSchema = z.array(window).max(24);

export const timeZoneSchema = z.string().refine(isTimeZone, 'must be a time zone, such as Europe/Berlin');

const isEmpty = ({ from, to }: BuildWindow) => from === to;

function windowOf(text: string): BuildWindow {
  const [, fromHour, fromMinute, toHour, toMinute] = WINDOW.exec(text) ?? [];
  const to = toHour === undefined ? DAY_MINUTES : Number(toHour) * 60 + Number(toMinute);
  return { from: Number(fromHour) * 60 + Number(fromMinute), to };
}

function isTimeZone(it: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: it });
    return true;
  } catch {
    // The only thing that it throws for.
    return false;
  }
}

/**
 * When indexes may be built, by the clocks of a place: whatever these show at a moment decides, so that an hour that a change
 * of the clock leaves out is no time to build, and one that comes twice is, both times.
 */
export class BuildHours {
  readonly #clock: Intl.DateTimeFormat;

  readonly #windows: readonly BuildWindow[];

  /** @param windows as `22:00-04:30`; none: always */
  constructor(windows: readonly string[], timeZone: string) {
    this.#windows = windows.map(windowOf);
    const parts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    this.#clock = new Intl.DateTimeFormat('en', { timeZone, ...parts });
  }

  /** @param at milliseconds since 1970 */
  includes(at: number): boolean {
    if (this.#windows.length === 0) return true;
    const minute = this.#minuteOfDay(at);
    return this.#windows.some(({ from, to }) =>
      from < to ? minute >= from && minute < to : minute >= from || minute < to,
    );
  }

  /** From when on they are open: `at` itself when they are. @returns null when they do not open within a week */
  nextOpening(at: number): number | null {
    if (this.includes(at)) return at;
    const first = Math.floor(at / MINUTE_MS) + 1;
    for (let minute = first; minute < first + LOOKED_AHEAD_MINUTES; minute++)
      if (this.includes(minute * MINUTE_MS)) return minute * MINUTE_MS;
    return null;
  }

  #minuteOfDay(at: number): number {
    let [hour, minute] = [0, 0];
    for (const { type, value } of this.#clock.formatToParts(at)) {
      if (type === 'hour') hour = Number(value);
      if (type === 'minute') minute = Number(value);
    }
    return hour * 60 + minute;
  }
}
