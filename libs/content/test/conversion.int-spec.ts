import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import {
  ConversionRefusedError,
  type ConversionRequest,
  ConversionService,
  ConversionUnsupportedError,
  convertFile,
  FileContentService,
  FileService,
} from '../src/index.js';
import { TaskQueue } from '@peregrine/task-queue';
import { ConversionPool } from '../src/conversion/pool/conversion-pool.js';
import { ConversionBusyError } from '../src/conversion/conversion.errors.js';
import { ContentFixture } from './content-fixture.js';

const PROGRAM = new URL('./conversion-thread.mjs', import.meta.url);
const HTML: ConversionRequest = { target: 'html' };

/** Emphasis that may begin everywhere and end nowhere: far more than linear work for the sanitiser and the parser. */
const HEAVY = `${'<a '.repeat(20)}${'['.repeat(50_000)}\n\n`.repeat(40);

let content: ContentFixture;
beforeAll(async () => {
  content = await ContentFixture.start({ convertInTaskFromBytes: 50_000 });
}, 60_000);
afterAll(() => content?.stop());

async function uploaded(workspace: string, path: string, text: string | Uint8Array) {
  const { file } = await content.upload(workspace, path, text);
  return content.get(FileContentService).locate(workspace, file.id);
}

const request = async (workspace: string, path: string, text: string | Uint8Array, wish = HTML) =>
  content.get(ConversionService).request(workspace, await uploaded(workspace, path, text), wish);

/** From the folder, past the cache. */
const reads = () =>
  [...(content.drivers.get('folder')?.reads.values() ?? [])].reduce((sum, it) => sum + it, 0);

describe('conversions', () => {
  it('are made once for a content, whatever files have it, and anew for another', async () => {
    const workspace = await content.workspace();
    const text = `# One\n\n${'some words '.repeat(2_000)}`;
    const first = await request(workspace, 'a.md', text);
    await content.extracted(workspace);
    const before = reads();
    const again = await Promise.all([request(workspace, 'a.md', text), request(workspace, 'b.md', text)]);
    await content.extracted(workspace);
    expect(first.conversion?.body).toContain('<h1 id="user-content-one">One</h1>');
    expect(again.map((it) => it.conversion?.body)).toEqual([first.conversion?.body, first.conversion?.body]);
    expect((await request(workspace, 'a.md', '# Two')).conversion?.body).toContain('Two</h1>');
    // Only for the search text of the new path.
    expect(reads() - before).toBeLessThanOrEqual(1);
  }, 60_000);

  it('die with the content', async () => {
    const workspace = await content.workspace();
    const file = await uploaded(workspace, 'a.md', '# Gone soon');
    const conversions = content.get(ConversionService);
    await conversions.convert(file, HTML);
    await content.extracted(workspace);
    await content.get(FileService).delete(workspace, file.id);
    await until(
      async () => (await content.count('storage_resources WHERE sha256 = $1', [file.sha256])) === 0,
    );
    // Nothing of it is left, so it would have to be read, and is not there.
    await until(() =>
      conversions.convert(file, HTML).then(
        () => false,
        () => true,
      ),
    );
  }, 60_000);

  it('have one key for the same options, and another for others', async () => {
    const workspace = await content.workspace();
    const conversions = content.get(ConversionService);
    const csv = await uploaded(workspace, 'a.csv', 'a,b\n1,2\n');
    const key = (wish: Partial<ConversionRequest>) => conversions.keyOf(csv, { target: 'json', ...wish });
    expect(key({ delimiter: 'auto', header: true })).toBe(key({}));
    expect(new Set([key({}), key({ delimiter: 'tab' }), key({ header: false })]).size).toBe(3);
    const markdown = await uploaded(workspace, 'a.md', 'a,b\n1,2\n');
    expect(conversions.keyOf(markdown, { ...HTML, header: false })).toBe(conversions.keyOf(markdown, HTML));
  });

  it('that nobody can make are refused with a reason', async () => {
    const workspace = await content.workspace();
    const refused = (path: string, text: string | Uint8Array, wish = HTML) =>
      expect(request(workspace, path, text, wish)).rejects;
    await refused('a.png', 'x').toThrow(ConversionUnsupportedError);
    await refused('a.csv', 'a,b').toThrow('A csv file can be converted to json');
    await refused('b.md', Buffer.from([0, 1, 2])).toThrow(ConversionRefusedError);
    await refused('c.md', '---\n- a\n---\n', { target: 'json' }).toThrow('no mapping');
  });

  it('of large files are made by a task, for all who ask, and are there afterwards', async () => {
    const workspace = await content.workspace();
    const file = await uploaded(workspace, 'large.md', `# Large\n\n${'some words '.repeat(10_000)}`);
    const conversions = content.get(ConversionService);
    const asked = await Promise.all([1, 2].map(() => conversions.request(workspace, file, HTML)));
    expect(new Set(asked.map((it) => it.taskId)).size).toBe(1);
    const result = await content
      .get(TaskQueue)
      .waitFor(convertFile, asked[0]?.taskId ?? '', { timeoutMs: 40_000 });
    expect(result).toMatchObject({ mediaType: 'text/html; charset=utf-8', notes: [] });
    const { conversion } = await conversions.request(workspace, file, HTML);
    expect(conversion?.body).toContain('Large</h1>');
    // Elsewhere, with a cache that has nothing of it: the task has ended, so the caller gets the result and no second task.
    const elsewhere = (await content.sibling({ convertInTaskFromBytes: 50_000 })).get(ConversionService);
    const { taskId } = await elsewhere.request(workspace, file, HTML);
    expect(taskId).toBeDefined();
  }, 90_000);

  it('of large files that cannot be converted say why, after the task has failed', async () => {
    const workspace = await content.workspace();
    const file = await uploaded(workspace, 'large.md', Buffer.alloc(60_000));
    const conversions = content.get(ConversionService);
    const { taskId = '' } = await conversions.request(workspace, file, HTML);
    const queue = content.get(TaskQueue);
    await until(async () => (await queue.status(convertFile, taskId))?.state === 'failed');
    await expect(conversions.request(workspace, file, HTML)).rejects.toThrow('binary');
  }, 60_000);
});

describe('the threads', () => {
  const options = { threads: 1, timeoutMs: 60_000, maxQueued: 1, memoryMib: 256, program: PROGRAM };
  const job = (text: string) => ({
    bytes: Buffer.from(text),
    format: 'markdown' as const,
    target: 'html' as const,
    options: {},
  });
  async function withPool(own: Partial<typeof options>, work: (pool: ConversionPool) => Promise<void>) {
    const pool = new ConversionPool({ ...options, ...own });
    try {
      await work(pool);
    } finally {
      await pool.close();
    }
  }

  it('end a conversion that takes too long', () =>
    withPool({ timeoutMs: 1 }, async (pool) => {
      await expect(pool.run(job(HEAVY))).rejects.toThrow('takes longer than 1 ms');
    }));

  it(
    'end one that needs too much memory, and go on with the next',
    () =>
      withPool({ memoryMib: 48 }, async (pool) => {
        const json = {
          ...job(`a,b\n${'1,2\n'.repeat(6_000_000)}`),
          format: 'csv' as const,
          target: 'json' as const,
        };
        await expect(pool.run(json)).rejects.toThrow('too much memory');
        expect((await pool.run(job('# H'))).body).toContain('H</h1>');
      }),
    60_000,
  );

  it(
    'keep the event loop free',
    () =>
      withPool({}, async (pool) => {
        let turns = 0;
        const timer = setInterval(() => turns++, 1);
        await pool.run(job(`${'*a **b '.repeat(20_000)}`));
        clearInterval(timer);
        expect(turns).toBeGreaterThan(2);
      }),
    60_000,
  );

  it('refuse what would wait behind too many, and nobody whose turn can come', () =>
    withPool({}, async (pool) => {
      const [first, second, third] = ['a', 'b', 'c'].map((it) => pool.run(job(it)));
      await expect(third).rejects.toThrow(ConversionBusyError);
      expect([(await first)?.body, (await second)?.body]).toEqual(['<p>a</p>\n', '<p>b</p>\n']);
    }));

  it(
    'stop for a caller who goes away',
    () =>
      withPool({}, async (pool) => {
        const caller = new AbortController();
        const running = pool.run(job(HEAVY), caller.signal);
        caller.abort(new Error('gone'));
        await expect(running).rejects.toThrow('gone');
        expect((await pool.run(job('next'))).body).toBe('<p>next</p>\n');
      }),
    60_000,
  );
});
