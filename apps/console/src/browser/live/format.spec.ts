import { expect, it } from '@jest/globals';
import { ago, bytes, clock, count, dollars, duration, percent, rate } from './format.js';

it('writes bytes in the unit that fits', () => {
  expect([0, 512, 1024, 1536, 150 * 1024 ** 2, 1.5 * 1024 ** 3, null].map(bytes)).toEqual([
    '0 B',
    '512 B',
    '1 KiB',
    '1.5 KiB',
    '150 MiB',
    '1.5 GiB',
    '–',
  ]);
});

it('never rounds a share up to all or down to none', () => {
  expect([0, 0.00001, 0.5, 0.99999, 1, null].map(percent)).toEqual([
    '0 %',
    '0.1 %',
    '50.0 %',
    '99.9 %',
    '100 %',
    '–',
  ]);
});

it('writes times, rates and counts with their units', () => {
  expect([0.213, 12.34, 999, 61_000, 7_200_000, 86_400_000 * 3].map(duration)).toEqual([
    '0.21 ms',
    '12.3 ms',
    '999 ms',
    '1.02 min',
    '2 h',
    '3 d',
  ]);
  expect([0, 0.001, 3.14159, 1_234.5].map(rate)).toEqual(['0 /s', '< 0.01 /s', '3.14 /s', '1235 /s']);
  expect(count(1_234_567)).toBe('1,234,567');
  expect(ago('2026-01-01T00:00:00Z', '2026-01-01T00:00:30Z')).toBe('30 s ago');
});

it('writes money and times of the day', () => {
  expect([0, 0.0042, 1.5, 1_234.5].map(dollars)).toEqual(['$0.00', '$0.0042', '$1.50', '$1,235']);
  expect(clock('2026-01-01T00:00:05Z')).toMatch(/^\d\d:\d\d:05$/);
});
