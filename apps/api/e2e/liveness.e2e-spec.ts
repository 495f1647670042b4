import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@peregrine/database/testing';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Platform } from './support/platform.js';
import { Relay } from './support/relay.js';
import { until } from './support/until.js';

const BLOCK_LOOP = fileURLToPath(new URL('support/preload/block-loop.mjs', import.meta.url));
/** How long a stall must last: the default of the health library. */
const HOLD_MS = 10_000;

describe('liveness', () => {
  let platform: Platform;
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    await platform?.stop();
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  const live = async (url: string) => (await platform.request('GET', '/health/live', { url })).status;

  it('of api and worker turns red while the event loop is held up, says why, and recovers', async () => {
    platform = await Platform.start({ workers: 0 });
    const file = join(platform.storageFolder, '..', 'block');
    const env = { NODE_OPTIONS: `--import ${BLOCK_LOOP}`, BLOCK_FILE: file };
    const urls = await Promise.all(
      [platform.spawn('api', env), platform.spawn('worker', env)].map((it) => it.listening()),
    );
    for (const url of urls) expect(await live(url)).toBe(200);

    await writeFile(file, '');
    await Promise.all(urls.map((url) => until(async () => (await live(url)) === 503)));
    for (const url of urls) {
      const { body } = await platform.request('GET', '/health/live', { url });
      expect(body).toMatchObject({ status: 'down', checks: { 'event-loop': { status: 'down' } } });
      expect(body.checks.process.status).toBe('up');
    }

    await rm(file);
    await Promise.all(urls.map((url) => until(async () => (await live(url)) === 200)));
  }, 180_000);

  it('stays green while PostgreSQL is gone for longer than any hold time, though readiness is red', async () => {
    const database: TestDatabase = await createTestDatabase(process.env['DATABASE_URL']);
    cleanUps.push(() => database.drop());
    const relay = await Relay.start();
    relay.target = database.url;
    cleanUps.push(() => relay.stop());
    const through = new URL(database.url);
    through.hostname = '127.0.0.1';
    through.port = String(relay.port);
    platform = await Platform.start({ databaseUrl: through.href });
    const urls = [platform.url, ...platform.workerUrls];

    relay.stop();
    await Promise.all(
      urls.map((url) =>
        until(async () => (await platform.request('GET', '/health/ready', { url })).status === 503),
      ),
    );
    // Not for the time itself: one probe after another, for as long as a stall would need to be one.
    const seen = new Set<number>();
    for (let waitedMs = 0; waitedMs <= 1.5 * HOLD_MS; waitedMs += 250) {
      for (const url of urls) seen.add(await live(url));
      await delay(250);
    }
    expect([...seen]).toEqual([200]);
  }, 180_000);
});
