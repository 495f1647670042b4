import { describe, expect, it } from '@jest/globals';
import { currentRequestTiming, MAX_PHASES, RequestTiming, runForRequest } from './request-phases.js';
import { formatMs } from './server-timing.js';

const clock = () => {
  const it = { ms: 100, now: () => it.ms };
  return it;
};

describe('RequestTiming', () => {
  it('measures synchronous and asynchronous work and gives its result back', async () => {
    const time = clock();
    const timing = new RequestTiming(100, time.now);
    expect(timing.measure('sync', () => (time.ms += 5))).toBe(105);
    await expect(timing.measure('async', () => Promise.resolve((time.ms += 7)))).resolves.toBe(112);
    expect(timing.phases).toEqual([
      { name: 'sync', durationMs: 5 },
      { name: 'async', durationMs: 7 },
    ]);
    expect(timing.elapsedMs).toBe(12);
  });

  it('adds the phase of work that fails, and lets the failure through', async () => {
    const timing = new RequestTiming(100, clock().now);
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() => timing.measure('a', fail)).toThrow('no');
    await expect(timing.measure('b', () => Promise.reject(new Error('later')))).rejects.toThrow('later');
    expect(timing.phases.map((it) => it.name)).toEqual(['a', 'b']);
  });

  it('gives a moment to the phase that was entered last, so that the phases never exceed the total', async () => {
    const time = clock();
    const timing = new RequestTiming(100, time.now);
    const handled = timing.enter('handler');
    time.ms += 1;
    await timing.measure('auth', async () => {
      time.ms += 2;
      await timing.measure('cache', () => Promise.resolve((time.ms += 4)));
    });
    const [first, second] = [timing.enter('database'), timing.enter('database')];
    time.ms += 8;
    first();
    first();
    time.ms += 16;
    second();
    time.ms += 32;
    expect(timing.phases).toEqual([
      { name: 'handler', durationMs: 33 },
      { name: 'auth', durationMs: 2 },
      { name: 'cache', durationMs: 4 },
      { name: 'database', durationMs: 24 },
    ]);
    handled();
    time.ms += 64;
    expect(timing.phases.reduce((sum, it) => sum + it.durationMs, 0)).toBe(63);
    expect(timing.elapsedMs).toBe(127);
  });

  it('is found by what works for the request, and by nothing else', async () => {
    const timing = new RequestTiming(0, clock().now);
    expect(await runForRequest(timing, () => Promise.resolve().then(currentRequestTiming))).toBe(timing);
    expect(currentRequestTiming()).toBeUndefined();
  });

  it('sums up what exceeds the number of phases', () => {
    const timing = new RequestTiming(0, clock().now);
    for (let i = 0; i < MAX_PHASES + 4; i++) timing.addTiming(`p${i}`, 1);
    expect(timing.phases).toHaveLength(MAX_PHASES);
    expect(timing.phases.at(-1)).toEqual({ name: 'other', durationMs: 5 });
  });

  it('writes a header that no phase can break out of', () => {
    const timing = new RequestTiming(0, clock().now);
    timing.addTiming('db, x;y\r\nSet-Cookie: a', 1.23456, 'say "hi"\\\r\nX: y\u00e9');
    timing.addTiming('', Number.NaN);
    timing.addTiming('late', -1);
    expect(timing.header(formatMs(12.3456), true)).toBe(
      'total;dur=12.346, db__x_y__Set-Cookie__a;dur=1.234;desc="say \\"hi\\"\\\\__X: y_", unnamed;dur=0.000, late;dur=0.000',
    );
  });
});
