import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import {
  type AnyTaskDefinition,
  DedupeKeyTakenError,
  InvalidDeadLetterQueryError,
  PermanentTaskError,
  type RedriveResult,
  retryAfter,
  TaskCancelledError,
  TaskFailedError,
  TaskNotDeadError,
  TaskNotFoundError,
} from '../../src/index.js';
import { TaskStore } from '../../src/queue/task-store.js';
import { RetentionTrimmer } from '../../src/worker/retention-trimmer.js';
import { type ProbeApp, until, WAIT } from '../probe-app.js';
import { hasty, single, unique, windowed } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

/** More than one page, and more than one step of a redrive. */
const MANY = 600;

/** What holds in every mode. Every test has an application, and dead letters, of its own. */
export function describeDeadLetters(start: (prefix: string) => Promise<ProbeApp>): void {
  it('lists dead letters, the latest first, by task, error, time and kind', async () => {
    const { queue, probe } = await start('dead-list');
    const letters = queue.deadLetters;
    for (const id of ['1', '2', '3'])
      await failFor(queue, probe, single, id, `user ${id} has no "name-${id}"`);
    await failFor(queue, probe, hasty, '4', 'disk full');
    const { items } = await letters.list();
    expect(items.map((it) => it.id)).toEqual(['4', '3', '2', '1']);
    expect(items[1]).toMatchObject({
      task: 'probe.single',
      error: 'user 3 has no "name-3"',
      attempts: 1,
      priority: 'NORMAL',
      redrives: 0,
    });
    const idsOf = async (filter: object) => (await letters.list(filter)).items.map((it) => it.id);
    expect(await idsOf({ task: 'probe.hasty' })).toEqual(['4']);
    expect(await idsOf({ error: 'user 2' })).toEqual(['2']);
    expect(await idsOf({ error: 'USER' })).toEqual([]);
    expect(await idsOf({ fingerprint: items[3]!.fingerprint })).toEqual(['3', '2', '1']);
    expect(await idsOf({ failedSince: items[1]!.failedAt })).toContain('3');
    expect(await idsOf({ failedBefore: items[3]!.failedAt })).toEqual([]);
    expect((await queue.stats()).deadLettered).toBe(4);
  });

  it('pages through them, whatever fails meanwhile', async () => {
    const { queue, probe } = await start('dead-pages');
    for (const id of ['1', '2', '3', '4', '5']) await failFor(queue, probe, single, id, `reason ${id}`);
    const first = await queue.deadLetters.list({ limit: 2 });
    expect(first.items.map((it) => it.id)).toEqual(['5', '4']);
    await failFor(queue, probe, single, '6', 'later');
    await queue.deadLetters.purge({ task: single.name, ids: ['4'] });
    const second = await queue.deadLetters.list({ limit: 2, cursor: first.nextCursor! });
    expect(second.items.map((it) => it.id)).toEqual(['3', '2']);
    const third = await queue.deadLetters.list({ limit: 2, cursor: second.nextCursor! });
    expect(third.items.map((it) => it.id)).toEqual(['1']);
    expect(third.nextCursor).toBeNull();
  });

  it('groups them by task and kind of error', async () => {
    const { queue, probe } = await start('dead-groups');
    for (const id of ['1', '2', '3']) await failFor(queue, probe, single, id, `timeout after ${id}00 ms`);
    await failFor(queue, probe, single, '4', 'disk full');
    const [many, one] = await queue.deadLetters.groups({ task: single.name });
    expect(many).toMatchObject({
      task: 'probe.single',
      error: 'timeout after 300 ms',
      count: 3,
      ids: ['3', '2', '1'],
    });
    expect(one).toMatchObject({ error: 'disk full', count: 1 });
    expect(many!.firstFailedAt.getTime()).toBeLessThanOrEqual(many!.lastFailedAt.getTime());
  });

  it('tells everything about one', async () => {
    const { queue, probe } = await start('dead-detail');
    probe.singles.set('detailed', async (ctx) => {
      await ctx.progress({ done: ctx.attempt });
      throw new Error(`attempt ${ctx.attempt}`);
    });
    await queue.submit(single, { key: 'detailed', note: 'ü \0' }, { id: 'one', priority: 'HIGH' });
    await untilDead(queue, single, 'one');
    const detail = await queue.deadLetters.inspect(single.name, 'one');
    expect(detail).toMatchObject({
      payload: { key: 'detailed', note: 'ü \0' },
      schemaVersion: 1,
      reason: 'exhausted',
      attempts: 3,
      maxAttempts: 3,
      claims: 3,
      stalls: 0,
      priority: 'HIGH',
      progress: { done: 3 },
      failures: [],
    });
    expect(detail.stacks).toHaveLength(3);
    expect(detail.stacks.at(-1)).toMatch(/attempt 3[^]*dead-letters\.ts/);
    await failFor(queue, probe, single, 'two', 'pointless');
    expect(await queue.deadLetters.inspect(single.name, 'two')).toMatchObject({ reason: 'permanent' });
  });

  it('redrives one: it has all its attempts again, and what waits for it gets the result', async () => {
    const { queue, probe } = await start('dead-redrive');
    probe.singles.set('mended', () => Promise.reject(new Error('broken 1')));
    await queue.submit(single, { key: 'mended' }, { id: 'one' });
    await untilDead(queue, single, 'one');
    let fence = 0;
    probe.singles.set('mended', (ctx) => {
      fence = ctx.fence;
      return ctx.attempt < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve('mended');
    });
    const redriven = await queue.deadLetters.redrive({ task: single.name, id: 'one' });
    expect(redriven).toEqual({ matched: 1, redriven: 1, skipped: 0, skips: {} });
    expect(await queue.waitFor(single, 'one', WAIT)).toBe('mended');
    expect(await queue.status(single, 'one')).toMatchObject({ state: 'completed', attempts: 3 });
    expect(fence).toBe(6);
    expect((await queue.stats()).deadLettered).toBe(0);
  });

  it('tells a task that was redriven, and what it failed with before', async () => {
    const { queue, probe } = await start('dead-history');
    await failFor(queue, probe, single, 'one', 'first');
    for (let life = 1; life <= 7; life++) {
      probe.singles.set('one', () => Promise.reject(new PermanentTaskError(`error of life ${life}`)));
      await queue.deadLetters.redrive({ task: single.name, id: 'one' });
      await untilDead(queue, single, 'one');
    }
    const detail = await queue.deadLetters.inspect(single.name, 'one');
    expect(detail).toMatchObject({ error: 'error of life 7', redrives: 7, claims: 8, attempts: 1 });
    expect(detail.failures.map((it) => it.error)).toEqual([2, 3, 4, 5, 6].map((it) => `error of life ${it}`));
    expect(detail.failures[0]).toMatchObject({ attempts: 1, failedAt: expect.any(Date) });
  });

  it('does not redrive, purge or inspect what is not dead', async () => {
    const { queue, probe } = await start('dead-not');
    const { deadLetters } = queue;
    await queue.submit(single, { key: 'fine' }, { id: 'fine' });
    await queue.waitFor(single, 'fine', WAIT);
    await failFor(queue, probe, single, 'dead', 'dead');
    for (const act of ['redrive', 'purge'] as const) {
      await expect(deadLetters[act]({ task: single.name, id: 'fine' })).rejects.toThrow(TaskNotDeadError);
      await expect(deadLetters[act]({ task: single.name, id: 'none' })).rejects.toThrow(TaskNotFoundError);
    }
    await expect(deadLetters.inspect(single.name, 'fine')).rejects.toThrow(TaskNotDeadError);
    await expect(deadLetters.inspect(single.name, 'none')).rejects.toThrow(TaskNotFoundError);
    const ids = ['fine', 'dead', 'none', 'dead'];
    expect(await deadLetters.redrive({ task: single.name, ids }, { dryRun: true })).toEqual({
      matched: 3,
      redriven: 0,
      skipped: 2,
      skips: { 'not-dead': 1, 'not-found': 1 },
    });
    probe.singles.delete('dead');
    expect(await deadLetters.redrive({ task: single.name, ids })).toEqual({
      matched: 3,
      redriven: 1,
      skipped: 2,
      skips: { 'not-dead': 1, 'not-found': 1 },
    });
    await expect(deadLetters.redrive({ task: single.name, id: 'dead' })).rejects.toThrow(TaskNotDeadError);
    expect(await queue.waitFor(single, 'dead', WAIT)).toBe('dead');
  });

  it('redrives a group at a rate, each once, whatever fails again', async () => {
    const { queue, probe } = await start('dead-group');
    const ids = Array.from({ length: 12 }, (_, index) => `job-${index}`);
    for (const id of ids) await failFor(queue, probe, single, id, `no host ${id}`);
    await failFor(queue, probe, single, 'other', 'something else');
    const { fingerprint } = (await queue.deadLetters.list({ error: 'no host' })).items[0]!;
    expect(await queue.deadLetters.redrive({ fingerprint }, { dryRun: true })).toMatchObject({
      matched: 12,
      redriven: 0,
    });
    const progress: RedriveResult[] = [];
    const result = await queue.deadLetters.redrive(
      { fingerprint },
      { ratePerSecond: 40, onProgress: (soFar) => progress.push(soFar) },
    );
    expect(result).toMatchObject({ matched: 12, redriven: 12, skipped: 0 });
    expect(progress.map((it) => it.redriven)).toEqual([4, 8, 12]);
    for (const id of ids) await untilDead(queue, single, id);
    for (const id of ids) expect(probe.callsOf(id)).toBe(2);
    expect(probe.callsOf('other')).toBe(1);
    const redriven = queue.collect().find((it) => it.name === 'task_redriven_total');
    expect(redriven?.samples).toContainEqual({ labels: { task: 'probe.single' }, value: 12 });
  });

  it('stops a redrive between two tasks', async () => {
    const { queue, probe } = await start('dead-abort');
    for (const id of ['1', '2', '3']) await failFor(queue, probe, single, id, 'broken');
    const abort = new AbortController();
    const redriving = queue.deadLetters.redrive(
      {},
      { ratePerSecond: 1, signal: abort.signal, onProgress: () => abort.abort(new Error('enough')) },
    );
    await expect(redriving).rejects.toThrow('enough');
    await untilDead(queue, single, '3');
    expect(probe.calls.filter((it) => it.key === '3')).toHaveLength(2);
    expect(probe.callsOf('2')).toBe(1);
  });

  it('purges some, a group, or all', async () => {
    const { queue, probe } = await start('dead-purge');
    for (const id of ['1', '2', '3', '4']) await failFor(queue, probe, single, id, `broken ${id}`);
    await failFor(queue, probe, hasty, '5', 'also broken');
    const { deadLetters } = queue;
    expect(await deadLetters.purge({ task: single.name, id: '1' })).toEqual({ matched: 1, purged: 1 });
    expect(await queue.status(single, '1')).toBeNull();
    await expect(deadLetters.purge({ task: single.name, id: '1' })).rejects.toThrow(TaskNotFoundError);
    expect(await deadLetters.purge({ task: single.name, ids: ['1', '2'] })).toEqual({
      matched: 2,
      purged: 1,
    });
    expect(await deadLetters.purge({ error: 'broken' }, { dryRun: true })).toEqual({ matched: 3, purged: 0 });
    expect(await deadLetters.purge({ task: single.name })).toEqual({ matched: 2, purged: 2 });
    expect((await deadLetters.list()).items.map((it) => it.id)).toEqual(['5']);
    expect(await deadLetters.purge({})).toEqual({ matched: 1, purged: 1 });
    expect((await queue.stats()).deadLettered).toBe(0);
    // Its id is free again.
    probe.singles.delete('1');
    await queue.submit(single, { key: '1' }, { id: '1' });
    expect(await queue.waitFor(single, '1', WAIT)).toBe('1');
  });

  it('takes the dedupe key of a redriven task again', async () => {
    const { queue, probe } = await start('dead-dedupe');
    await failFor(queue, probe, unique, 'first', 'broken', 'same key');
    await failFor(queue, probe, unique, 'second', 'broken', 'same key');
    let open: () => void = () => undefined;
    probe.singles.set('same key', () => new Promise((resolve) => (open = () => resolve('done'))));
    const redriving = queue.deadLetters.redrive({ task: unique.name, id: 'first' });
    await until(() => probe.callsOf('same key') === 3);
    await expect(queue.deadLetters.redrive({ task: unique.name, id: 'second' })).rejects.toThrow(
      DedupeKeyTakenError,
    );
    expect(await queue.deadLetters.redrive({ task: unique.name, ids: ['second'] })).toMatchObject({
      redriven: 0,
      skips: { duplicate: 1 },
    });
    open();
    await redriving;
    expect(await queue.waitFor(unique, 'first', WAIT)).toBe('done');
    probe.singles.delete('same key');
    await queue.deadLetters.redrive({ task: unique.name, id: 'second' });
    expect(await queue.waitFor(unique, 'second', WAIT)).toBe('same key');
  });

  it.each([
    ['an unknown member', { tasks: 'x' }],
    ['a fingerprint of the wrong length', { fingerprint: 'abc' }],
    ['no Date', { failedSince: '2026-01-01' }],
    ['an empty text', { error: '' }],
  ])('refuses a filter with %s', async (_what, filter) => {
    const { queue } = await start('dead-bad-input');
    const bad = filter as object;
    for (const act of ['list', 'groups', 'redrive', 'purge'] as const) {
      await expect(queue.deadLetters[act](bad)).rejects.toThrow(InvalidDeadLetterQueryError);
    }
  });

  it('refuses wrong limits, cursors, rates and ids', async () => {
    const { deadLetters } = (await start('dead-bad-input')).queue;
    const refused = [
      () => deadLetters.list({ limit: 0 }),
      () => deadLetters.list({ limit: 1.5 }),
      () => deadLetters.list({ cursor: 'x' }),
      () => deadLetters.redrive({}, { ratePerSecond: 0 }),
      () => deadLetters.redrive({}, { ratePerSecond: NaN }),
      () => deadLetters.redrive({ task: 'probe.single', ids: ['a:b'] }),
      () => deadLetters.inspect('probe.single', 'a/b'),
    ];
    for (const call of refused) await expect(call()).rejects.toThrow(InvalidDeadLetterQueryError);
  });
}

/** What needs a store with workers. */
export function describeStoredDeadLetters(context: () => WorkerContext): void {
  it('gives a redriven task the wait of its class again, behind what is more urgent', async () => {
    const { start } = context();
    const { queue, probe } = await start({
      prefix: 'dead-order',
      worker: { concurrency: 1 },
      tasks: [single],
    });
    for (const id of ['b', 'a']) await failFor(queue, probe, single, id, 'broken');
    for (const id of ['b', 'a']) probe.singles.delete(id);
    await queue.pause();
    await queue.deadLetters.redrive({});
    await queue.submit(single, { key: 'urgent' }, { priority: 'CRITICAL' });
    const { id: last } = await queue.submit(single, { key: 'later' });
    expect((await queue.explain(single, 'a')).reason).toBe('paused');
    expect(await queue.status(single, 'a')).toMatchObject({ state: 'waiting', attempts: 0 });
    probe.calls.length = 0;
    await queue.resume();
    await queue.waitFor(single, last, WAIT);
    expect(probe.calls.map((it) => it.key)).toEqual(['urgent', 'a', 'b', 'later']);
  });

  it('forgets why a redriven task was put off in an earlier life', async () => {
    const { start } = context();
    const { app, queue, probe } = await start({ prefix: 'dead-put-off', worker: true });
    probe.singles.set('later', () => {
      if (probe.callsOf('later') === 1) return Promise.resolve(retryAfter(1));
      return Promise.reject(new PermanentTaskError('broken'));
    });
    await queue.submit(single, { key: 'later', note: ',"putOff":{"reason":"text"}' }, { id: 'later' });
    await untilDead(queue, single, 'later');
    const store = app.get(TaskStore);
    expect((await store.find(single, 'later'))?.putOff).toMatchObject({ reason: 'retry-after' });
    await queue.pause();
    await queue.deadLetters.redrive({ task: single.name, id: 'later' });
    expect(await store.find(single, 'later')).not.toHaveProperty('putOff');
    await queue.resume();
    await untilDead(queue, single, 'later');
    expect(await queue.deadLetters.inspect(single.name, 'later')).toMatchObject({
      payload: { key: 'later', note: ',"putOff":{"reason":"text"}' },
    });
  });

  it('walks many of them in pages, and redrives each once when several do it at once', async () => {
    const { start } = context();
    const caller = await start({ prefix: 'dead-many' });
    const failing = await start({ prefix: 'dead-many', worker: { concurrency: 50 } });
    failing.probe.singles.set('many', () => Promise.reject(new PermanentTaskError('no more')));
    const ids = Array.from({ length: MANY }, (_, index) => `id-${index}`);
    await caller.queue.submitBatch(
      single,
      ids.map((id) => ({ payload: { key: 'many' }, id })),
    );
    await until(async () => (await caller.queue.stats()).deadLettered === MANY);
    await failing.app.close();
    const seen = new Set<string>();
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await caller.queue.deadLetters.list({ limit: 250, ...(cursor && { cursor }) });
      for (const { id } of page.items) seen.add(id);
      cursor = page.nextCursor;
    }
    expect(seen.size).toBe(MANY);
    expect(await caller.queue.deadLetters.groups()).toMatchObject([{ count: MANY }]);
    const others = await Promise.all([1, 2].map(() => start({ prefix: 'dead-many' })));
    const results = await Promise.all(
      [caller, ...others].map(({ queue }) => queue.deadLetters.redrive({ error: 'no more' })),
    );
    expect(results.reduce((sum, it) => sum + it.redriven, 0)).toBe(MANY);
    expect((await caller.queue.stats()).pending).toBe(MANY);
  });

  it('fails a task whose workers died too often, though no worker may claim it', async () => {
    const { store, start } = context();
    const worker = { concurrency: 1, lockDurationMs: 20_000, stalledIntervalMs: 50, maxStalledCount: 0 };
    const { queue, probe } = await start({ prefix: 'dead-stalled', worker, closeTimeoutMs: 50 });
    probe.singles.set('poison', () => new Promise(() => undefined));
    const steal = async (id: string) => {
      await until(async () => (await queue.status(single, id))?.state === 'running');
      await queue.pause();
      await store.stealLock(`${store.prefix}.dead-stalled`, `probe.single/${id}`);
    };
    await queue.submit(single, { key: 'poison' }, { id: 'stalled' });
    await steal('stalled');
    await expect(queue.waitFor(single, 'stalled', WAIT)).rejects.toThrow(
      /Too many workers died or lost it: 1, the last was .+:\d+$/,
    );
    expect(await queue.deadLetters.inspect(single.name, 'stalled')).toMatchObject({
      reason: 'stalled',
      stalls: 1,
      claims: 1,
      worker: expect.stringMatching(/:\d+$/),
    });
    expect(await queue.stats()).toMatchObject({ failed: 1, deadLettered: 1 });
  });

  it('holds no death of an earlier life against a redriven task', async () => {
    const { store, start } = context();
    const worker = { concurrency: 1, lockDurationMs: 20_000, stalledIntervalMs: 50, maxStalledCount: 1 };
    const { queue, probe } = await start({ prefix: 'dead-pardoned', worker });
    const lose = async (call: number) => {
      await until(() => probe.callsOf('lost') >= call);
      await store.stealLock(`${store.prefix}.dead-pardoned`, 'probe.single/lost');
    };
    probe.singles.set('lost', async ({ signal }) => {
      if (probe.callsOf('lost') % 2 === 1) await once(signal, 'abort');
      throw new PermanentTaskError(`call ${probe.callsOf('lost')}`);
    });
    await queue.submit(single, { key: 'lost' }, { id: 'lost' });
    await lose(1);
    await untilDead(queue, single, 'lost');
    expect(await queue.deadLetters.inspect(single.name, 'lost')).toMatchObject({
      error: 'call 2',
      stalls: 1,
    });
    await queue.deadLetters.redrive({ task: single.name, id: 'lost' });
    await until(() => probe.callsOf('lost') === 3);
    expect(await queue.explain(single, 'lost')).not.toHaveProperty('deaths');
    await lose(3);
    await untilDead(queue, single, 'lost');
    expect(await queue.deadLetters.inspect(single.name, 'lost')).toMatchObject({
      error: 'call 4',
      stalls: 1,
    });
  });

  it('ends a task as cancelled when it was, though its workers died too often', async () => {
    const { store, start } = context();
    const worker = { concurrency: 2, lockDurationMs: 20_000, stalledIntervalMs: 50, maxStalledCount: 0 };
    const { queue, probe } = await start({ prefix: 'dead-cancelled', worker, closeTimeoutMs: 50 });
    probe.singles.set('deaf', () => new Promise(() => undefined));
    await queue.submit(single, { key: 'deaf' }, { id: 'deaf' });
    await until(() => probe.callsOf('deaf') === 1);
    await queue.cancel(single, 'deaf');
    await store.stealLock(`${store.prefix}.dead-cancelled`, 'probe.single/deaf');
    await expect(queue.waitFor(single, 'deaf', WAIT)).rejects.toThrow(TaskCancelledError);
    expect((await queue.stats()).deadLettered).toBe(0);
  });

  it('forgets dead letters that are too old or too many, though nothing else fails', async () => {
    const { start } = context();
    const kept = { ageMs: 3_600_000, count: 2 };
    const retention = { completed: kept, failed: kept };
    const options = { prefix: 'dead-retention', worker: true };
    const { app, queue, probe } = await start({ ...options, retention });
    for (const id of ['1', '2', '3']) await failFor(queue, probe, single, id, 'broken');
    await app.get(RetentionTrimmer).trim();
    expect((await queue.deadLetters.list()).items.map((it) => it.id)).toEqual(['3', '2']);
    const brief = await start({
      ...options,
      retention: { ...retention, failed: { ageMs: 1_000, count: 2 } },
    });
    await until(async () => {
      await brief.app.get(RetentionTrimmer).trim();
      return (await queue.stats()).deadLettered === 0;
    });
    expect(await queue.status(single, '3')).toBeNull();
  });

  it('keeps the dedupe window of a redriven task', async () => {
    const { start } = context();
    const { queue, probe } = await start({ prefix: 'dead-window', worker: true });
    await failFor(queue, probe, windowed, 'first', 'broken', 'window');
    expect((await queue.submit(windowed, { key: 'window' })).id).toBe('first');
    probe.singles.delete('window');
    await queue.deadLetters.redrive({ task: windowed.name, id: 'first' });
    expect(await queue.waitFor(windowed, 'first', WAIT)).toBe('window');
    expect((await queue.submit(windowed, { key: 'window' })).id).toBe('first');
  });
}

type Queue = ProbeApp['queue'];

/** Submits a task that fails for good at once, and waits until it has. Its key is its id. */
export async function failFor(
  queue: Queue,
  probe: ProbeApp['probe'],
  definition: AnyTaskDefinition,
  id: string,
  error: string,
  key = id,
): Promise<void> {
  probe.singles.set(key, () => Promise.reject(new PermanentTaskError(error)));
  await queue.submit(definition, { key }, { id });
  await untilDead(queue, definition, id);
  // The next one fails later, also by a clock of milliseconds.
  const now = Date.now();
  await until(() => Date.now() > now);
}

export async function untilDead(queue: Queue, definition: AnyTaskDefinition, id: string): Promise<void> {
  await expect(queue.waitFor(definition, id, WAIT)).rejects.toThrow(TaskFailedError);
}
