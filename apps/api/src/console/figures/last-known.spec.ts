import { describe, expect, it } from '@jest/globals';
import { LastKnown } from './last-known.js';

const OPTIONS = { maxAgeMs: 60_000, waitMs: 60_000 };

describe('a figure of another system', () => {
  it('is asked for once by many callers, and again when it expired', async () => {
    let asked = 0;
    const figure = new LastKnown(() => Promise.resolve(++asked), 0, OPTIONS);
    expect(await Promise.all([figure.get(), figure.get()])).toEqual([
      { value: 1, problem: null },
      { value: 1, problem: null },
    ]);
    expect((await figure.get()).value).toBe(1);
    figure.expire();
    expect((await figure.get()).value).toBe(2);
  });

  it('stays as it was while the system fails, and names the code and nothing else', async () => {
    const failures = [undefined, Object.assign(new Error('secret address'), { code: 'ECONNREFUSED' })];
    const read = () => {
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve(7);
    };
    const figure = new LastKnown(read, 0, OPTIONS);
    await figure.get();
    figure.expire();
    const known = await figure.get();
    expect(known.value).toBe(7);
    expect(known.problem).toContain('ECONNREFUSED');
    expect(known.problem).not.toContain('secret');
  });

  it('does not keep a caller waiting for a system that hangs', async () => {
    const figure = new LastKnown(() => new Promise<number>(() => undefined), 3, { maxAgeMs: 1, waitMs: 1 });
    const known = await figure.get();
    expect(known).toMatchObject({ value: 3, problem: expect.stringContaining('in time') });
  });
});
