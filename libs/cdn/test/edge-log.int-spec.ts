import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EdgeLog } from '../src/index.js';

const HIT = '{"cache":"HIT","status":200,"bytes":100}\n';
const MISS = '{"cache":"MISS","status":200,"bytes":50}\n';

describe('EdgeLog', () => {
  let folder: string;
  let path: string;
  let log: EdgeLog;
  let errors: Error[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-edge-log-'));
    path = join(folder, 'access.log');
    errors = [];
    log = new EdgeLog(path, (error) => errors.push(error));
  });
  afterEach(async () => {
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });

  const counted = async () => {
    await log.poll();
    const [{ requests, hitRatio } = { requests: undefined, hitRatio: undefined }] = log.statistics();
    return { hits: requests?.hit ?? 0, misses: requests?.miss ?? 0, hitRatio, unread: log.unreadLines };
  };

  it('counts what is written after it began, and waits for a log that is not there yet', async () => {
    expect(await counted()).toMatchObject({ hits: 0, hitRatio: undefined });
    await writeFile(path, HIT + HIT + MISS);
    expect(await counted()).toEqual({ hits: 2, misses: 1, hitRatio: 2 / 3, unread: 0 });
    const second = new EdgeLog(path);
    await second.poll();
    await appendFile(path, HIT);
    await second.poll();
    expect(second.statistics()).toMatchObject([
      { source: 'nginx', requests: { hit: 1 }, bytes: { hit: 100 } },
    ]);
    await second.close();
  });

  it('tells what the edge did, and leaves out of the ratio what was never for the cache', async () => {
    await log.poll();
    const statuses = ['HIT', 'STALE', 'UPDATING', 'REVALIDATED', 'EXPIRED', 'BYPASS', '', '-'];
    await writeFile(path, statuses.map((it) => `{"cache":"${it}","bytes":1}\n`).join(''));
    await log.poll();
    expect(log.statistics()).toEqual([
      {
        source: 'nginx',
        requests: { hit: 1, stale: 2, revalidated: 1, miss: 1, pass: 3, synthetic: 0 },
        bytes: { hit: 1, stale: 2, revalidated: 1, miss: 1, pass: 3, synthetic: 0 },
        hitRatio: 3 / 5,
      },
    ]);
  });

  it('counts a line once, in however many pieces it comes', async () => {
    await log.poll();
    for (const piece of [HIT.slice(0, 10), HIT.slice(10, -1), '\n' + MISS.slice(0, 3), MISS.slice(3)]) {
      await appendFile(path, piece);
      await log.poll();
    }
    expect(await counted()).toEqual({ hits: 1, misses: 1, hitRatio: 0.5, unread: 0 });
  });

  it('counts lines that are no request, and reads on', async () => {
    await log.poll();
    const garbage = [
      'GET / HTTP/1.1',
      '',
      'null',
      '7',
      '[]',
      '{"cache":"HIT"',
      '{"cache":"HIT","bytes":"1"}',
      '{"cache":"HIT","bytes":-1}',
      '{"cache":"constructor","bytes":1}',
      '{"cache":5,"bytes":1}',
      '\0\xff',
    ];
    await writeFile(path, `${garbage.join('\n')}\n${HIT}`);
    expect(await counted()).toEqual({ hits: 1, misses: 0, hitRatio: 1, unread: garbage.length });
  });

  it('holds no more than a line, however long one is', async () => {
    await log.poll();
    await writeFile(path, `${'x'.repeat(3_000_000)}\n${HIT}`);
    expect(await counted()).toEqual({ hits: 1, misses: 0, hitRatio: 1, unread: 1 });
    await appendFile(path, 'y'.repeat(200_000));
    await log.poll();
    await appendFile(path, `yy\n${HIT}`);
    expect(await counted()).toMatchObject({ hits: 2, unread: 2 });
  });

  it('loses nothing when the log is rotated, also of what is written to the old one afterwards', async () => {
    await writeFile(path, '');
    await log.poll();
    await appendFile(path, HIT);
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, HIT);
    expect(await counted()).toMatchObject({ hits: 2 });
    await appendFile(`${path}.1`, HIT);
    await writeFile(path, MISS);
    expect(await counted()).toMatchObject({ hits: 3, misses: 1 });
    await appendFile(`${path}.1`, HIT);
    await appendFile(path, MISS);
    expect(await counted()).toMatchObject({ hits: 4, misses: 2 });
    await rename(path, `${path}.2`);
    await writeFile(path, MISS);
    await rm(`${path}.1`);
    expect(await counted()).toEqual({ hits: 4, misses: 3, hitRatio: 4 / 7, unread: 0 });
  });

  it('begins anew when the log is cut', async () => {
    await writeFile(path, '');
    await log.poll();
    await appendFile(path, HIT + HIT + HIT.slice(0, 5));
    expect(await counted()).toMatchObject({ hits: 2, unread: 0 });
    await truncate(path, 0);
    await appendFile(path, MISS);
    expect(await counted()).toEqual({ hits: 2, misses: 1, hitRatio: 2 / 3, unread: 1 });
  });

  it('says once that the log cannot be read, and goes on as soon as it can', async () => {
    await mkdir(path);
    for (let i = 0; i < 3; i++) await log.poll();
    expect(errors).toMatchObject([{ code: 'CDN_EDGE_LOG', path }]);
    expect(log.lastError).toMatchObject({ code: 'CDN_EDGE_LOG' });
    await rm(path, { recursive: true });
    await log.poll();
    await writeFile(path, HIT);
    expect(await counted()).toMatchObject({ hits: 1 });
    expect(log.lastError).toBeUndefined();
  });

  it('shares one pass between calls at once', async () => {
    await log.poll();
    await writeFile(path, HIT.repeat(5_000));
    await Promise.all(Array.from({ length: 10 }, () => log.poll()));
    expect(await counted()).toMatchObject({ hits: 5_000, unread: 0 });
  });
});
