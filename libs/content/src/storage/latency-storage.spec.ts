import { describe, expect, it } from '@jest/globals';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { streamOf } from './byte-streams.js';
import { LatencyStorage } from './latency-storage.js';
import type { StorageDriver } from './storage-driver.js';

function recording() {
  const calls: string[] = [];
  const note = (name: string) => {
    calls.push(name);
    return Promise.resolve();
  };
  const driver: StorageDriver = {
    name: 'folder',
    write: () => note('write'),
    read: async (): Promise<Readable> => {
      await note('read');
      return streamOf(Buffer.from('bytes'));
    },
    delete: () => note('delete'),
    list: async function* () {
      await note('list');
      yield { key: 'key', sizeBytes: 1, modifiedAt: new Date(0) };
    },
    check: () => note('check'),
    close: () => note('close'),
  };
  return { calls, driver };
}

describe('a storage with latency', () => {
  it('waits at least that long before a read, then reads', async () => {
    const { driver } = recording();
    const storage = new LatencyStorage(driver, { readLatencyMs: 20 });
    const start = performance.now();
    expect(await text(await storage.read('key'))).toBe('bytes');
    // Timers may fire a millisecond early, never more.
    expect(performance.now() - start).toBeGreaterThan(18);
  });

  it('stops waiting when the signal comes, and does not read', async () => {
    const { calls, driver } = recording();
    const storage = new LatencyStorage(driver, { readLatencyMs: 60_000 });
    const controller = new AbortController();
    const reading = storage.read('key', undefined, { signal: controller.signal });
    controller.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(calls).toEqual([]);
  });

  it('hands everything else on', async () => {
    const { calls, driver } = recording();
    const storage = new LatencyStorage(driver, { readLatencyMs: 60_000 });
    await storage.write('key', streamOf(Buffer.from('x')));
    for await (const object of storage.list()) expect(object.key).toBe('key');
    await storage.check();
    await storage.delete('key');
    await storage.close();
    expect(storage.name).toBe('folder');
    expect(calls).toEqual(['write', 'list', 'check', 'delete', 'close']);
  });
});
