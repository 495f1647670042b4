import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { z } from 'zod';
import { type QueueBackend } from '../../src/backend/queue-backend.js';
import { defineTask, TaskHandler, type TaskPriority } from '../../src/index.js';
import { TaskStore } from '../../src/queue/task-store.js';
import { QUEUE_BACKEND } from '../../src/task-queue.tokens.js';
import { RetentionTrimmer } from '../../src/worker/retention-trimmer.js';
import { gate, type ProbeApp, type ProbeOptions, until, WAIT } from '../probe-app.js';
import { batched, hasty, single, windowed } from '../probe-tasks.js';
import { type ContractStore } from './task-queue-contract.js';

const ONE_AT_A_TIME = { concurrency: 1 };

export type StartProbe = (options: Partial<ProbeOptions>, providers?: readonly Type[]) => Promise<ProbeApp>;

export interface WorkerContext {
  readonly store: ContractStore;
  readonly start: StartProbe;
}

/** What needs a store and workers of its own; every test has its own prefix. */
export function describeWorkers(context: () => WorkerContext): void {
  it('runs what waits by priority', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'priorities' });
    const order: TaskPriority[] = ['LOW', 'BATCH', 'NORMAL', 'CRITICAL', 'HIGH'];
    const ids: string[] = [];
    for (const priority of order) ids.push((await queue.submit(single, { key: priority }, { priority })).id);
    const { probe } = await start({ prefix: 'priorities', worker: ONE_AT_A_TIME, tasks: [single] });
    for (const id of ids) await queue.waitFor(single, id, WAIT);
    expect(probe.calls.map((it) => it.key)).toEqual(['CRITICAL', 'HIGH', 'NORMAL', 'LOW', 'BATCH']);
  });

  it('finds duplicates where a percentage of the tasks runs inline', async () => {
    const { queue, probe } = await context().start({
      prefix: 'half',
      asynchronous: 50,
      worker: ONE_AT_A_TIME,
    });
    const keys = Array.from({ length: 20 }, (_, number) => `half-${number}`);
    const submit = async (key: string) => (await queue.submit(windowed, { key })).id;
    const ids: string[] = [];
    for (const key of keys) ids.push(await submit(key));
    for (const [index, key] of keys.entries()) expect(await submit(key)).toBe(ids[index]);
    for (const id of ids) await queue.waitFor(windowed, id, WAIT);
    const modes = new Set<boolean | undefined>();
    for (const id of ids) modes.add((await queue.status(windowed, id))?.inline);
    expect(modes).toEqual(new Set([true, false]));
    expect(keys.filter((key) => probe.callsOf(key) !== 1)).toEqual([]);
  });

  it('finishes what runs when it stops, and begins nothing more', async () => {
    const { start } = context();
    const caller = await start({ prefix: 'finishing' });
    const stopping = await start({ prefix: 'finishing', worker: ONE_AT_A_TIME });
    const { opened, open } = gate();
    stopping.probe.singles.set('running', () => opened);
    const running = await caller.queue.submit(single, { key: 'running' });
    await until(() => stopping.probe.callsOf('running') === 1);
    const next = await caller.queue.submit(single, { key: 'next' });
    const closed = stopping.app.close();
    open();
    await closed;
    expect(await caller.queue.status(single, running.id)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(await caller.queue.status(single, next.id)).toMatchObject({ state: 'waiting', attempts: 0 });
    expect(stopping.probe.callsOf('next')).toBe(0);
  });

  it('gives back what it has claimed ahead of short handlers when they become slow', async () => {
    const { start } = context();
    const shared = { prefix: 'ahead', tasks: [single] };
    const slow = Array.from({ length: 20 }, (_, index) => `slow-${index}`);
    const { queue } = await start(shared);
    const short = Array.from({ length: 400 }, () => ({ key: 'short' }));
    await queue.submitBatch(single, short, { priority: 'CRITICAL' });
    for (const id of slow) await queue.submit(single, { key: id }, { id, priority: 'LOW' });
    const busy = await start({ ...shared, worker: { concurrency: 2 } });
    const { opened, open } = gate();
    for (const key of slow) busy.probe.singles.set(key, () => opened);
    await until(async () => (await queue.stats()).running === 2 && isHeld(busy.probe.calls.at(-1)?.key));
    const idle = await start({ ...shared, worker: { concurrency: 2 } });
    const fences: number[] = [];
    for (const key of slow) idle.probe.singles.set(key, ({ fence }) => Promise.resolve(fences.push(fence)));
    await until(() => fences.length === slow.length - 2);
    expect(Math.max(...fences)).toBe(2);
    open();
    for (const id of slow) await queue.waitFor(single, id, WAIT);
    for (const id of slow) expect((await queue.status(single, id))?.attempts).toBe(1);
  });

  it('gives back what does not end in time; another worker runs it as the same attempt', async () => {
    const { start } = context();
    const caller = await start({ prefix: 'releasing' });
    const stopping = await start({ prefix: 'releasing', worker: ONE_AT_A_TIME, closeTimeoutMs: 50 });
    const reasons: unknown[] = [];
    stopping.probe.singles.set('endless', ({ signal }) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code));
      return new Promise(() => undefined);
    });
    const batch = gate();
    stopping.probe.onBatch = () => batch.opened.then(() => []);
    const { id } = await caller.queue.submit(single, { key: 'endless' });
    await until(() => stopping.probe.callsOf('endless') === 1);
    const [waiting] = await caller.queue.submitBatch(batched, [{ number: 1 }]);
    await until(async () => (await caller.queue.status(batched, waiting!.id))?.state === 'running');
    await stopping.app.close();
    batch.open();
    expect(reasons).toEqual(['TASK_QUEUE_STOPPED']);
    const other = await start({ prefix: 'releasing', worker: ONE_AT_A_TIME });
    await caller.queue.waitFor(single, id, WAIT);
    await caller.queue.waitFor(batched, waiting!.id, WAIT);
    expect(other.probe.calls).toEqual([{ key: 'endless', attempt: 1 }]);
  });

  it.each([
    ['renewal of the lock', { lockDurationMs: 400, stalledIntervalMs: 100 }],
    ['search for stalled tasks', { lockDurationMs: 4_000, stalledIntervalMs: 50 }],
  ])('aborts what another worker may own by now when the %s finds it', async (_finder, locks) => {
    const { store, start } = context();
    const { queue, probe } = await start({
      prefix: `stolen-${locks.lockDurationMs}`,
      worker: { concurrency: 1, ...locks },
    });
    const reasons: unknown[] = [];
    probe.singles.set('stolen', async ({ signal }) => {
      if (probe.callsOf('stolen') > 1) return 'second run';
      await once(signal, 'abort');
      reasons.push((signal.reason as { code: string }).code);
      return 'first run';
    });
    const { id } = await queue.submit(single, { key: 'stolen' });
    // A machine that stands still for long enough steals the lock by itself.
    await until(() => probe.callsOf('stolen') >= 1);
    await store.stealLock(`${store.prefix}.stolen-${locks.lockDurationMs}`, `probe.single/${id}`);
    expect(await queue.waitFor(single, id, WAIT)).toBe('second run');
    expect(await queue.status(single, id)).toMatchObject({ attempts: 1 });
    expect(reasons).toEqual(['TASK_QUEUE_OWNERSHIP_LOST']);
  });

  it('keeps a number of ended tasks', async () => {
    const { start } = context();
    const ended = { ageMs: 3_600_000, count: 2 };
    const retention = { completed: ended, failed: ended };
    const { app, queue, probe } = await start({
      prefix: 'retention',
      retention,
      worker: ONE_AT_A_TIME,
      tasks: [single],
    });
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) probe.singles.set(key, () => sleep(5));
    const ids = await queue.submitBatch(
      single,
      keys.map((key) => ({ key })),
    );
    const states = async () =>
      (await Promise.all(ids.map(({ id }) => queue.status(single, id)))).map((it) => it?.state);
    // Some may be gone already; which end last is not told.
    await until(async () => (await states()).every((it) => it === undefined || it === 'completed'));
    await app.get(RetentionTrimmer).trim();
    expect((await states()).filter((it) => it !== undefined)).toEqual(['completed', 'completed']);
  });

  it('fails a stored payload that no longer fits for good', async () => {
    const { start } = context();
    const lax = defineTask({ name: single.name, payload: single.payload.or(hasty.payload.partial()) });
    const { queue } = await start({ prefix: 'outdated', tasks: [lax] }, []);
    const { id } = await queue.submit(lax, {});
    const { probe } = await start({ prefix: 'outdated', worker: ONE_AT_A_TIME });
    await expect(queue.waitFor(lax, id, WAIT)).rejects.toThrow('The payload of probe.single is not valid');
    expect(await queue.status(lax, id)).toMatchObject({ attempts: 1 });
    expect(probe.calls).toEqual([]);
  });

  it('brings a payload of an older version up to its own', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'upgrading', tasks: [single] }, []);
    const { id } = await queue.submit(single, { key: 'old' });
    const second = defineTask({
      name: single.name,
      version: 2,
      upgrades: { 1: (old) => ({ name: (old as { key: string }).key.toUpperCase() }) },
      payload: z.strictObject({ name: z.string() }),
    });
    @TaskHandler(second)
    @Injectable()
    class SecondHandler {
      execute = ({ name }: { name: string }) => Promise.resolve(name);
    }
    await start({ prefix: 'upgrading', worker: ONE_AT_A_TIME, tasks: [second] }, [SecondHandler]);
    expect(await queue.waitFor(single, id, WAIT)).toBe('OLD');
  });

  it('counts exactly what is there after many have worked at once', async () => {
    const { start } = context();
    const options = { prefix: 'counted', worker: { concurrency: 10 } };
    const [{ queue, probe, app }, other] = await Promise.all([start(options), start(options)]);
    for (const it of [probe, other.probe]) it.singles.set('fails', () => Promise.reject(new Error('no')));
    const keys = Array.from({ length: 200 }, (_, index) => ({ key: index % 10 === 0 ? 'fails' : 'works' }));
    const parts = await Promise.all(
      [0, 50, 100, 150].map((at) => queue.submitBatch(single, keys.slice(at, at + 50))),
    );
    const delayed = await queue.submitBatch(single, keys.slice(0, 20), { delayMs: 600_000 });
    await queue.cancelMany(
      single,
      delayed.slice(0, 5).map(({ id }) => id),
    );
    const states = async (id: string) => (await queue.status(single, id))?.state ?? '';
    for (const { id } of parts.flat()) await until(async () => /completed|failed/.test(await states(id)));
    const store = await app.get<QueueBackend>(QUEUE_BACKEND).queue();
    const rows = await store.getJobCounts('delayed', 'completed', 'failed');
    expect(rows).toEqual({ delayed: 15, completed: 185, failed: 20 });
    await app.get(RetentionTrimmer).trim();
    expect(await app.get(TaskStore).counts()).toEqual({ waiting: 0, running: 0, ...rows });
  });

  it('puts off a task that the worker does not know', async () => {
    const { start } = context();
    const newer = defineTask({ name: 'probe.newer', payload: single.payload });
    const { queue } = await start({ prefix: 'rolling', tasks: [newer] });
    await start({ prefix: 'rolling', worker: ONE_AT_A_TIME });
    const { id } = await queue.submit(newer, { key: 'x' });
    await until(async () => (await queue.status(newer, id))?.state === 'delayed');
    expect(await queue.status(newer, id)).toMatchObject({ attempts: 0 });
  });

  it('tells how many tasks are pending', async () => {
    const { start } = context();
    const { queue } = await start({ prefix: 'pending' });
    await queue.submitBatch(single, [{ key: 'a' }, { key: 'b' }]);
    await queue.submit(single, { key: 'c' }, { delayMs: 60_000 });
    expect(await queue.stats()).toMatchObject({ submitted: 3, pending: 3, running: 0 });
    const sizes = queue.collect().find((it) => it.name === 'async_queue_size');
    expect(sizes?.samples).toContainEqual({ labels: { state: 'waiting' }, value: 2 });
    expect(sizes?.samples).toContainEqual({ labels: { state: 'delayed' }, value: 1 });
    await queue.ready(AbortSignal.timeout(5_000));
  });
}

function isHeld(key: string | undefined): boolean {
  return key?.startsWith('slow-') ?? false;
}
