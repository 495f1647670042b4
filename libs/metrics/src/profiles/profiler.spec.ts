import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Profiler } from './profiler.js';
import { type ProfilerOptionsInput } from './profiler.options.js';

Logger.overrideLogger(false);

const PLENTY = { rssBytes: 0, limitBytes: 2 ** 40, heapUsedBytes: 1 };

describe('Profiler', () => {
  let folder: string;
  const profilers: Profiler[] = [];
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'peregrine-profiles-'))));
  afterEach(async () => {
    await Promise.all(profilers.splice(0).map((it) => it.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const makeProfiler = (options: Partial<ProfilerOptionsInput> = {}, memory = PLENTY) => {
    const profiler = new Profiler(
      { folder: join(folder, 'profiles'), minIntervalMs: 0, ...options },
      () => memory,
    );
    profilers.push(profiler);
    return profiler;
  };
  const ended = async (profiler: Profiler, id: string) => {
    for (;;) {
      const profile = await profiler.find(id);
      if (profile.state !== 'running') return profile;
      await delay(10);
    }
  };

  // A snapshot holds all of the process: apps/api/e2e/profiles.e2e-spec.ts takes one of an api, not of a test runner.
  it.each([
    ['cpu', 'nodes'],
    ['heap', 'head'],
  ] as const)(
    'takes the kind %s, in the format of the developer tools, for its owner only',
    async (kind, key) => {
      const profiler = makeProfiler();
      const { id, state } = profiler.start({ kind, seconds: 0.05 });
      expect(state).toBe('running');
      const profile = await ended(profiler, id);
      expect(profile).toMatchObject({ id, kind, state: 'done', error: null });
      const { content } = await profiler.read(id);
      const said = await text(content);
      expect(Buffer.byteLength(said)).toBe(profile.sizeBytes);
      expect(Object.keys(JSON.parse(said) as object)).toContain(key);
      const [name = ''] = await readdir(join(folder, 'profiles'));
      expect((await stat(join(folder, 'profiles', name))).mode & 0o777).toBe(0o600);
      expect((await stat(join(folder, 'profiles'))).mode & 0o777).toBe(0o700);
    },
    120_000,
  );

  it('takes one at a time, and no more often than it may; of its own accord much less', async () => {
    const profiler = makeProfiler({ minIntervalMs: 60_000, breachIntervalMs: 600_000 });
    const { id } = profiler.start({ kind: 'cpu', seconds: 0.01, trigger: 'breach' });
    expect(() => profiler.start({ kind: 'heap', seconds: 1 })).toThrow(
      expect.objectContaining({ code: 'METRICS_PROFILE_REFUSED', reason: 'busy' }),
    );
    await ended(profiler, id);
    expect(() => profiler.start({ kind: 'heap', seconds: 1 })).toThrow(
      expect.objectContaining({ reason: 'rate', retryAfterSeconds: expect.any(Number) }),
    );
    const eager = makeProfiler({ breachIntervalMs: 600_000 });
    await ended(eager, eager.start({ kind: 'cpu', seconds: 0.01, trigger: 'breach' }).id);
    expect(() => eager.start({ kind: 'cpu', seconds: 0.01, trigger: 'breach' })).toThrow(
      expect.objectContaining({ reason: 'rate' }),
    );
    await ended(eager, eager.start({ kind: 'cpu', seconds: 0.01 }).id);
  });

  it('keeps the newest within its bounds, and one alone that is too large not at all', async () => {
    const profiler = makeProfiler({ maxCount: 2 });
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      ids.push(profiler.start({ kind: 'cpu', seconds: 0.01 }).id);
      await ended(profiler, ids[index] ?? '');
    }
    expect((await profiler.list()).map((it) => it.id)).toEqual(ids.slice(1).reverse());
    await expect(profiler.read(ids[0] ?? '')).rejects.toMatchObject({ code: 'METRICS_PROFILE_NOT_FOUND' });

    const small = makeProfiler({ folder: join(folder, 'small'), maxBytes: 100 });
    const failed = await ended(small, small.start({ kind: 'cpu', seconds: 0.01 }).id);
    expect(failed).toMatchObject({ state: 'failed', error: expect.stringContaining('100 bytes') });
    expect(await readdir(join(folder, 'small'))).toEqual([]);
  });

  it('refuses a snapshot that would not fit into memory, and says what to take instead', () => {
    const profiler = makeProfiler({}, { rssBytes: 800, limitBytes: 1_000, heapUsedBytes: 101 });
    expect(() => profiler.start({ kind: 'snapshot', seconds: 0 })).toThrow(/take the kind "heap"/);
  });

  it('finds nothing outside of its folder', async () => {
    await expect(makeProfiler().read('../../etc/passwd')).rejects.toMatchObject({
      code: 'METRICS_PROFILE_NOT_FOUND',
    });
  });
});
