import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { heapLimitBytes } from './heap-limit.js';

const run = promisify(execFile);
const MEBIBYTE = 1_048_576;

describe('heapLimitBytes', () => {
  it('follows the flags, the last of them, leaves V8 room to collect, and is never more than there is', () => {
    expect(heapLimitBytes('--max-old-space-size=300', [])).toBe(240 * MEBIBYTE);
    expect(heapLimitBytes('--max-old-space-size=300', ['--max_old_space_size=200'])).toBe(160 * MEBIBYTE);
    expect(heapLimitBytes('--import x --max-old-space-size=99999999', [])).toBe(
      getHeapStatistics().heap_size_limit,
    );
  });

  it.each([[''], ['--max-old-space-size=0']])('is by V8 where nothing is said: %j', (options) => {
    const total = getHeapStatistics().heap_size_limit;
    expect(heapLimitBytes(options, [])).toBeLessThan(total);
    expect(heapLimitBytes(options, [])).toBeGreaterThan(0.9 * total);
  });

  it('is what a process can fill, and it ends shortly above', async () => {
    const script = fileURLToPath(new URL('../../test/fill-heap.mjs', import.meta.url));
    const filled = await run(process.execPath, ['--max-old-space-size=80', script]).catch(
      (error: { stdout: string }) => error,
    );
    const lastMiB = Number(filled.stdout.trim().split('\n').at(-1));
    expect(lastMiB).toBeGreaterThan(heapLimitBytes('', ['--max-old-space-size=80']) / MEBIBYTE);
    expect(lastMiB).toBeLessThanOrEqual(80);
  });
});
