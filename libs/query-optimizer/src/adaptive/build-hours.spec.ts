import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { BuildHours, buildHoursSchema, timeZoneSchema } from './build-hours.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const at = (text: string) => Date.parse(text);

describe('hours in which indexes are built', () => {
  it.each([
    [[], '2026-01-10T12:00:00Z', true],
    [['02:00-04:00'], '2026-01-10T01:59:59.999Z', false],
    [['02:00-04:00'], '2026-01-10T02:00:00Z', true],
    [['02:00-04:00'], '2026-01-10T03:59:59Z', true],
    [['02:00-04:00'], '2026-01-10T04:00:00Z', false],
    [['22:00-04:30'], '2026-01-10T23:59:00Z', true],
    [['22:00-04:30'], '2026-01-10T00:00:00Z', true],
    [['22:00-04:30'], '2026-01-10T04:30:00Z', false],
    [['20:00-24:00'], '2026-01-10T23:59:00Z', true],
    [['20:00-24:00'], '2026-01-10T00:00:00Z', false],
    [['01:00-02:00', '13:00-14:00'], '2026-01-10T13:30:00Z', true],
  ])('%j at %s: %s', (windows, moment, isOpen) => {
    expect(new BuildHours(windows, 'UTC').includes(at(moment))).toBe(isOpen);
  });

  it('are those of the place, summer and winter', () => {
    const hours = new BuildHours(['02:00-03:00'], 'America/New_York');
    expect(hours.includes(at('2026-01-10T07:30:00Z'))).toBe(true);
    expect(hours.includes(at('2026-07-10T07:30:00Z'))).toBe(false);
    expect(hours.includes(at('2026-07-10T06:30:00Z'))).toBe(true);
    expect(new BuildHours(['05:30-05:45'], 'Asia/Kathmandu').includes(at('2026-01-10T23:50:00Z'))).toBe(true);
  });

  it('leave out the hour that a change of the clock leaves out, and take the one that comes twice both times', () => {
    const hours = new BuildHours(['02:00-03:00'], 'Europe/Berlin');
    // On 29 March 02:00 is 03:00.
    expect(hours.nextOpening(at('2026-03-28T02:30:00Z'))).toBe(at('2026-03-30T00:00:00Z'));
    // On 25 October 03:00 is 02:00 again.
    expect(hours.includes(at('2026-10-25T00:30:00Z'))).toBe(true);
    expect(hours.includes(at('2026-10-25T01:30:00Z'))).toBe(true);
    expect(hours.includes(at('2026-10-25T02:00:00Z'))).toBe(false);
  });

  it('are open from the moment on that they name', () => {
    const times = fc.integer({ min: 0, max: 23 * 60 }).map((it) => [Math.floor(it / 60), it % 60]);
    const text = ([hour = 0, minute = 0]: number[]) =>
      `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia');
    const moments = fc.integer({ min: at('2026-01-01'), max: at('2027-01-01') });
    fc.assert(
      fc.property(times, times, zones, moments, (from, to, zone, moment) => {
        fc.pre(text(from) !== text(to));
        const hours = new BuildHours([`${text(from)}-${text(to)}`], zone);
        const opening = hours.nextOpening(moment);
        if (opening === null) throw new Error('they never open');
        expect(hours.includes(opening)).toBe(true);
        if (opening === moment) return;
        expect(opening).toBeGreaterThan(moment);
        // Closed until then.
        expect(hours.includes(opening - 1)).toBe(false);
        for (let it = moment; it < opening; it += HOUR_MS) expect(hours.includes(it)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it.each(['2:00-4:00', '02:00-25:00', '02:60-03:00', '02:00', '02:00-02:00', '', '24:00-02:00', 'nights'])(
    'are not %j',
    (given) => expect(buildHoursSchema.safeParse([given]).success).toBe(false),
  );

  it('are of a place that exists', () => {
    expect(timeZoneSchema.safeParse('Europe/Berlin').success).toBe(true);
    for (const it of ['Europe/Nowhere', '', 'Europe/Berlin; DROP'])
      expect(timeZoneSchema.safeParse(it).success).toBe(false);
  });
});
