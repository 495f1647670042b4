import { describe, expect, it } from '@jest/globals';
import { type CallFailure, isWorthRetrying, waitBeforeRetryMs } from './retry-policy.js';

const failure = (
  status?: number,
  providerCode?: string,
  headers: Record<string, string> = {},
): CallFailure => ({
  ...{ status, providerCode },
  header: (name) => headers[name] ?? null,
});

describe('isWorthRetrying', () => {
  it.each([undefined, 408, 409, 429, 500, 503])('is so for status %s', (status) => {
    expect(isWorthRetrying(failure(status))).toBe(true);
  });
  it.each([400, 401, 404, 422])('is not for status %s', (status) => {
    expect(isWorthRetrying(failure(status))).toBe(false);
  });
  it('looks at the code first, then at the word of the provider', () => {
    expect(isWorthRetrying(failure(429, 'insufficient_quota', { 'x-should-retry': 'true' }))).toBe(false);
    expect(isWorthRetrying(failure(429, 'rate_limit_exceeded', { 'x-should-retry': 'false' }))).toBe(false);
    expect(isWorthRetrying(failure(400, undefined, { 'x-should-retry': 'true' }))).toBe(true);
  });
});

describe('waitBeforeRetryMs', () => {
  const now = () => Date.parse('Sun, 22 Nov 2026 00:00:00 GMT');
  const waitOf = (headers: Record<string, string>, attempt = 1, random = 0) =>
    waitBeforeRetryMs(failure(503, undefined, headers), attempt, { random: () => random, now });

  it('is what the provider asks for, milliseconds before seconds and dates', () => {
    expect(waitOf({ 'retry-after-ms': '12.5', 'retry-after': '9' })).toBe(12.5);
    expect(waitOf({ 'retry-after': '9' })).toBe(9_000);
    expect(waitOf({ 'retry-after': 'Sun, 22 Nov 2026 00:00:30 GMT' })).toBe(30_000);
    expect(waitOf({ 'retry-after': 'Sat, 21 Nov 2026 00:00:00 GMT' })).toBe(0);
  });

  it.each(['-5', 'soon', '', '1e9', 'NaN'])('is our own for the nonsense %j', (text) => {
    expect(waitOf({ 'retry-after-ms': text })).toBe(500);
  });

  it('doubles up to eight seconds, less up to a quarter', () => {
    expect([1, 2, 3, 4, 5, 9].map((it) => waitOf({}, it))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    expect(waitOf({}, 1, 1)).toBe(375);
  });
});
