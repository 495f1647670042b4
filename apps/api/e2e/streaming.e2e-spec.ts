import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Platform } from './support/platform.js';

const MIB = 1_048_576;
const SIZE_MIB = 256;

/** Deterministic bytes, made as they are read. */
function* chunks(): Generator<Buffer> {
  for (let index = 0; index < SIZE_MIB; index++) yield Buffer.alloc(MIB, index);
}

describe('a large file', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
  }, 120_000);
  afterAll(() => platform?.stop());

  const rss = async (): Promise<number> => {
    const { body } = await platform.request('GET', '/meta/metrics', { key: platform.adminKey });
    return body.memory.rssBytes as number;
  };

  /** The most memory that the api had while the work went on, above what it had before. */
  const growthDuring = async (work: Promise<unknown>): Promise<number> => {
    const before = await rss();
    let most = before;
    let isDone = false;
    const watched = work.finally(() => (isDone = true));
    while (!isDone) most = Math.max(most, await rss());
    await watched;
    return most - before;
  };

  it('comes in and goes out through constant memory', async () => {
    const workspace = await platform.createWorkspace();
    const path = `${platform.url}/api/v1/workspaces/${workspace}/files`;
    const headers = { authorization: `Bearer ${platform.apiKey}` };
    const sent = createHash('sha256');
    for (const chunk of chunks()) sent.update(chunk);
    const expected = sent.digest('hex');

    let fileId = '';
    const upload = new Promise<void>((resolve, reject) => {
      const put = request(`${path}/large.bin`, { method: 'PUT', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const { file } = JSON.parse(text) as { file: { id: string; sha256: string } };
          fileId = file.id;
          expect(file.sha256).toBe(expected);
          resolve();
        });
      });
      pipeline(Readable.from(chunks()), put).catch(reject);
    });
    // Buffers that are not collected yet are part of it; the file is twice as large.
    expect(await growthDuring(upload)).toBeLessThan((SIZE_MIB / 2) * MIB);

    const received = createHash('sha256');
    const download = fetch(`${path}/${fileId}/content`, { headers }).then(async (response) => {
      for await (const chunk of response.body ?? []) received.update(chunk as Uint8Array);
    });
    expect(await growthDuring(download)).toBeLessThan((SIZE_MIB / 2) * MIB);
    expect(received.digest('hex')).toBe(expected);
  }, 120_000);
});
