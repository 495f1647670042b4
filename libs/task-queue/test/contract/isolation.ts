import { expect, it } from '@jest/globals';
import { type BatchItemResult, PermanentTaskError } from '../../src/index.js';
import { gate, type ProbeApp, until, WAIT } from '../probe-app.js';
import { batched, single, slowBatch } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

const ROTTEN = 7;
const numbers = Array.from({ length: 10 }, (_, number) => ({ number }));

/** What one item does to the others of its batch. */
export function describeIsolation(main: () => ProbeApp): void {
  const fine = (number: number): BatchItemResult => ({ ok: true, value: number });

  it.each<[string, () => readonly BatchItemResult[]]>([
    ['throws', () => throwing(new Error('rotten'))],
    ['throws a permanent error', () => throwing(new PermanentTaskError('rotten'))],
    ['answers too few results', () => []],
  ])('fails only the item with which the handler %s', async (_how, answer) => {
    const { queue, probe } = main();
    const sizes: number[] = [];
    probe.onBatch = (items) => {
      sizes.push(items.length);
      const isRotten = items.some(({ payload }) => payload.number === ROTTEN);
      return Promise.resolve(isRotten ? answer() : items.map(({ payload }) => fine(payload.number)));
    };
    const ids = await queue.submitBatch(batched, numbers);
    for (const [number, { id }] of ids.entries()) {
      if (number === ROTTEN)
        await expect(queue.waitFor(batched, id, WAIT)).rejects.toThrow(/rotten|0 results/);
      else expect(await queue.waitFor(batched, id, WAIT)).toBe(number);
    }
    // How many were gathered before the first call is up to the machine; then an eighth of ten, which is one.
    const neighbours = sizes.filter((size) => size > 1).reduce((sum, size) => sum + size, 0);
    expect(neighbours).toBeLessThanOrEqual(numbers.length);
  });

  it('fails only the item with which the handler never returns', async () => {
    const { queue, probe } = main();
    probe.onSlowBatch = (items) =>
      items.some(({ payload }) => payload.number === ROTTEN)
        ? new Promise(() => undefined)
        : Promise.resolve(items.map(({ payload }) => fine(payload.number)));
    const ids = await queue.submitBatch(slowBatch, numbers);
    for (const [number, { id }] of ids.entries()) {
      if (number === ROTTEN) await expect(queue.waitFor(slowBatch, id, WAIT)).rejects.toThrow('took longer');
      else expect(await queue.waitFor(slowBatch, id, WAIT)).toBe(number);
    }
  });
}

function throwing(error: Error): never {
  throw error;
}

/** Tasks whose claims are lost, as if their worker had died. */
export function describeSuspects(context: () => WorkerContext): void {
  const locks = { lockDurationMs: 4_000, stalledIntervalMs: 50 };

  it('fails what loses its worker time and again, and tells that it is a suspect', async () => {
    const { store, start } = context();
    const { queue, probe } = await start({ prefix: 'poison', worker: { concurrency: 2, ...locks } });
    const prefix = `${store.prefix}.poison`;
    const deaths: (number | undefined)[] = [];
    probe.singles.set('poison', ({ id, signal }) => {
      const lost = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      const steal = async () => {
        deaths.push((await queue.explain(single, id)).deaths);
        await store.stealLock(prefix, `probe.single/${id}`);
      };
      return Promise.all([lost, steal()]);
    });
    const { id } = await queue.submit(single, { key: 'poison' });
    const neighbour = await queue.submit(single, { key: 'neighbour' });
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow(
      'probe.single is poison: its worker died 5 times while it ran there alone',
    );
    expect(await queue.waitFor(single, neighbour.id, WAIT)).toBe('neighbour');
    // Once with others, once as the only suspect, five times alone.
    expect(deaths).toEqual([undefined, 1, 2, 3, 4, 5, 6]);
    expect(await queue.status(single, id)).toMatchObject({ state: 'failed' });
    const poisoned = queue.collect().find((it) => it.name === 'task_poisoned_total');
    expect(poisoned?.samples).toContainEqual({ labels: { task: 'probe.single' }, value: 1 });
    const suspects = queue.collect().find((it) => it.name === 'task_suspects_total');
    expect(suspects?.samples).toContainEqual({ labels: { task: 'probe.single' }, value: 7 });
  });

  it('runs suspects one at a time, and leaves places to others', async () => {
    const { store, start } = context();
    const worker = { concurrency: 4, ...locks };
    const { queue, probe } = await start({ prefix: 'suspects', worker, tasks: [single] });
    const keys = ['a', 'b', 'c', 'd'];
    const ids = new Map<string, string>();
    let inside = 0;
    let most = 0;
    const others: string[] = [];
    const reasons = () => Promise.all([...ids.values()].map((id) => queue.explain(single, id)));
    for (const key of keys) {
      probe.singles.set(key, async ({ signal, fence }) => {
        if (fence === 1) return new Promise((resolve) => signal.addEventListener('abort', resolve));
        most = Math.max(most, ++inside);
        const other = await queue.submit(single, { key: 'other' }, { priority: 'CRITICAL' });
        await until(() => others.includes(other.id));
        if (most === 1 && others.length === 1)
          await until(async () => (await reasons()).some((it) => it.reason === 'suspects'));
        inside--;
        return key;
      });
    }
    probe.singles.set('other', ({ id }) => Promise.resolve(others.push(id)));
    for (const key of keys) ids.set(key, (await queue.submit(single, { key })).id);
    await until(() => keys.every((key) => probe.callsOf(key) >= 1));
    for (const id of ids.values()) await store.stealLock(`${store.prefix}.suspects`, `probe.single/${id}`);
    for (const [key, id] of ids) {
      expect(await queue.waitFor(single, id, WAIT)).toBe(key);
      expect(await queue.explain(single, id)).not.toHaveProperty('deaths');
    }
    expect(most).toBe(1);
  });

  it('does not run a suspect whose claim was lost while it waited for its turn', async () => {
    const { store, start } = context();
    const worker = { concurrency: 4, ...locks };
    const { queue, probe } = await start({ prefix: 'suspects-lost', worker, tasks: [single] });
    const { opened, open } = gate();
    const prefix = `${store.prefix}.suspects-lost`;
    const begun: string[] = [];
    const seen: string[] = [];
    for (const key of ['a', 'b']) {
      probe.singles.set(key, async ({ id, signal, fence }) => {
        if (fence === 1) return new Promise((resolve) => signal.addEventListener('abort', resolve));
        seen.push((await queue.explain(single, id)).reason);
        if (begun.push(id) === 1) await opened;
        return key;
      });
    }
    const ids = (await queue.submitBatch(single, [{ key: 'a' }, { key: 'b' }])).map(({ id }) => id);
    await until(() => probe.calls.length === 2);
    for (const id of ids) await store.stealLock(prefix, `probe.single/${id}`);
    await until(() => begun.length === 1);
    const waiting = ids.find((id) => id !== begun[0])!;
    await until(async () => {
      const { reason, deaths } = await queue.explain(single, waiting);
      return reason === 'running' && deaths === 1;
    });
    await store.stealLock(prefix, `probe.single/${waiting}`);
    open();
    for (const id of ids) await queue.waitFor(single, id, WAIT);
    expect(seen).toEqual(['running', 'running']);
  });

  it('gives a suspect that waits for its turn back when it stops', async () => {
    const { store, start } = context();
    const caller = await start({ prefix: 'suspects-back', tasks: [single] });
    const options = { prefix: 'suspects-back', worker: { concurrency: 4, ...locks }, tasks: [single] };
    const stopping = await start(options);
    const { opened, open } = gate();
    for (const key of ['a', 'b']) {
      stopping.probe.singles.set(key, async ({ signal, fence }) =>
        fence === 1 ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : opened,
      );
    }
    const ids = await caller.queue.submitBatch(single, [{ key: 'a' }, { key: 'b' }]);
    await until(() => stopping.probe.calls.length === 2);
    for (const { id } of ids) {
      await store.stealLock(`${store.prefix}.suspects-back`, `probe.single/${id}`);
    }
    const states = () => Promise.all(ids.map(({ id }) => caller.queue.explain(single, id)));
    await until(async () => (await states()).every((it) => it.reason === 'running' && it.deaths === 1));
    await until(() => stopping.probe.calls.length === 3);
    const closed = stopping.app.close();
    await until(async () => (await states()).some((it) => it.reason === 'waiting' && it.deaths === 1));
    open();
    await closed;
    await start(options);
    for (const { id } of ids) await caller.queue.waitFor(single, id, WAIT);
  });
}
