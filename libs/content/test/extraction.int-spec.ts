import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Transactions } from '@peregrine/database';
import { until } from '@peregrine/database/testing';
import { randomBytes } from 'node:crypto';
import { FileContentService, FileService, type FileSummary, SearchService } from '../src/index.js';
import { ExtractTextHandler } from '../src/extraction/extract-text.handler.js';
import { ContentFixture } from './content-fixture.js';

const INDEXED = 262_144;

let content: ContentFixture;
beforeAll(async () => {
  content = await ContentFixture.start();
}, 60_000);
afterAll(() => content?.stop());

/** The n-th word of letters alone. */
function word(n: number): string {
  let rest = n;
  let letters = '';
  do letters += String.fromCharCode(97 + (rest % 26));
  while ((rest = Math.floor(rest / 26)) > 0);
  return letters;
}

/** Words of which no two are the same, as short as can be, with a marker that only this text has. */
function distinctWords(sizeBytes: number, marker: string, of = (n: number) => word(n)): Buffer {
  const parts: Buffer[] = [Buffer.from(`${marker} `, 'latin1')];
  for (let size = marker.length + 1, n = 0; size < sizeBytes; n++) {
    const part = Buffer.from(`${of(n)} `, 'latin1');
    parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

/** Bytes that become three, in words that count twice, as themselves and in parts: the most that decoding yields. */
const swelling = (n: number) => `${'\xff'.repeat(20)}q${word(2 * n)}-${'\xff'.repeat(20)}q${word(2 * n + 1)}`;

interface Sample {
  path: string;
  bytes: Buffer;
  mediaType?: string;
  status: 'extracted' | 'skipped';
  detail: RegExp | null;
  /** Finds this file by its text. */
  found?: string;
}

const extracted = (path: string, bytes: Buffer, found?: string, detail: RegExp | null = null): Sample => ({
  path,
  bytes,
  status: 'extracted',
  detail,
  ...(found === undefined ? {} : { found }),
});
const skipped = (path: string, bytes: Buffer, detail: RegExp, mediaType?: string): Sample => ({
  path,
  bytes,
  status: 'skipped',
  detail,
  ...(mediaType === undefined ? {} : { mediaType }),
});

const SAMPLES: Sample[] = [
  ...Array.from({ length: 12 }, (_, n) =>
    extracted(`plain-${n}.txt`, Buffer.from(`sample zebra${word(n)}`), `zebra${word(n)}`),
  ),
  extracted('empty.txt', Buffer.alloc(0)),
  extracted('page.html', Buffer.from('<p>a paragraph of <b>pangolins</b></p>'), 'pangolins'),
  extracted('invalid.txt', Buffer.from('okapi \xff\xfe\xc3 okapi', 'latin1'), 'okapi', /not valid UTF-8/),
  extracted('little-endian.txt', Buffer.from('\ufeffquokka Größe', 'utf16le'), 'quokka'),
  extracted('big-endian.txt', Buffer.from('\ufeffnumbat', 'utf16le').swap16(), 'numbat'),
  extracted(
    'late-nul.txt',
    Buffer.concat([Buffer.alloc(9_000, 'a '), Buffer.from('kaka\0po dugong')]),
    'dugong',
  ),
  extracted(
    'large.txt',
    Buffer.alloc(3 * 1_048_576, 'axolotl lives here\n'),
    'axolotl',
    /first 262,144 bytes/,
  ),
  extracted('distinct.txt', distinctWords(INDEXED, 'tamandua'), 'tamandua'),
  extracted(
    'parts.txt',
    distinctWords(INDEXED, 'aardwolf', (n) => `${word(2 * n)}-${word(2 * n + 1)}`),
    'aardwolf',
  ),
  extracted(
    'swelling.txt',
    distinctWords(INDEXED, 'kinkajou', swelling),
    'kinkajou',
    /not valid UTF-8.*first 262,144 bytes/,
  ),
  skipped('nul.txt', Buffer.from('binturong \0 fossa'), /binary/),
  skipped('noise.dat', randomBytes(20_000), /binary/),
  skipped('photo.png', Buffer.from('not looked at'), /no text in image\/png/),
];

async function search(workspace: string, query: string): Promise<string[]> {
  const { items } = await content.get(SearchService).search(workspace, { query, limit: 50 });
  return items.map((it) => it.path).sort();
}

const stateOf = (workspace: string, id: string) =>
  content.get(FileService).get(workspace, id) as Promise<FileSummary>;

/** A batch as the queue hands it over. */
const item = (fileId: string, revision: number, attempt = 1) => ({
  payload: { fileId, revision },
  ctx: {
    id: 'test',
    attempt,
    fence: attempt,
    signal: new AbortController().signal,
    progress: () => Promise.resolve(),
    log: () => Promise.resolve(),
    completeInTransaction: () => Promise.resolve(),
  },
});

describe('extraction', () => {
  it(`makes ${SAMPLES.length} files of every kind searchable, or says why not`, async () => {
    const workspace = await content.workspace();
    const uploads = await Promise.all(
      SAMPLES.map(({ path, bytes, mediaType }) => content.upload(workspace, path, bytes, mediaType)),
    );
    await content.extracted(workspace);
    for (const [index, sample] of SAMPLES.entries()) {
      const { path, status, statusDetail } = await stateOf(workspace, uploads[index]?.file.id ?? '');
      expect({ path, status }).toEqual({ path: sample.path, status: sample.status });
      if (sample.detail) expect(statusDetail).toMatch(sample.detail);
      else expect(statusDetail).toBeNull();
      if (sample.found) expect(await search(workspace, sample.found)).toEqual([path]);
    }
    // By their names, those without a text, too.
    expect(await search(workspace, 'photo')).toEqual(['photo.png']);
    expect(await search(workspace, 'empty')).toEqual(['empty.txt']);
    expect(await search(workspace, 'binturong')).toEqual([]);
    expect((await content.get(FileService).statistics(workspace)).byStatus).toEqual({
      pending: 0,
      extracted: 22,
      skipped: 3,
      failed: 0,
    });
  }, 60_000);

  it('tries again only the file whose storage fails, and ends with it as failed and the others extracted', async () => {
    const workspace = await content.workspace();
    const folder = content.drivers.get('folder');
    if (!folder) throw new Error('no folder storage');
    const bytes = Array.from({ length: 10 }, (_, n) => Buffer.alloc(30_000, `capybara${word(n)} `));
    const keys: string[] = [];
    folder.beforeRead = (key) => {
      if (!keys.includes(key)) keys.push(key);
      if (key === keys[0]) throw new Error('the disk is gone');
    };
    const uploads = await Promise.all(bytes.map((it, n) => content.upload(workspace, `${n}.txt`, it)));
    await content.extracted(workspace);
    folder.beforeRead = () => undefined;

    expect(keys).toHaveLength(10);
    expect(keys.map((key) => folder.reads.get(key))).toEqual([4, ...Array<number>(9).fill(1)]);
    const states = await Promise.all(uploads.map((it) => stateOf(workspace, it.file.id)));
    expect(states.map((it) => it.status).sort()).toEqual([...Array<string>(9).fill('extracted'), 'failed']);
    const failed = states.find((it) => it.status === 'failed');
    expect(failed?.statusDetail).toContain('upload the file again');

    // As it says: the same content again is a new try.
    const again = await content.upload(
      workspace,
      failed?.path ?? '',
      bytes[Number.parseInt(failed?.path ?? '')] ?? '',
    );
    expect(again.file).toMatchObject({ status: 'pending', statusDetail: null, revision: 2 });
    await content.extracted(workspace);
    expect((await stateOf(workspace, again.file.id)).status).toBe('extracted');
  }, 60_000);

  it('writes nothing for a revision that is no longer the current one', async () => {
    const workspace = await content.workspace();
    const handler = content.get(ExtractTextHandler);
    const { file } = await content.upload(workspace, 'a.txt', 'first narwhal');
    await content.upload(workspace, 'a.txt', 'second beluga');
    await content.extracted(workspace);
    expect(await handler.executeBatch([item(file.id, 1)])).toEqual([{ ok: true, value: 'superseded' }]);
    expect(await search(workspace, 'narwhal')).toEqual([]);
    expect(await search(workspace, 'beluga')).toEqual(['a.txt']);
  }, 60_000);

  it('writes nothing when the revision is replaced while its text is read', async () => {
    const workspace = await content.workspace();
    const { file } = await content.upload(workspace, 'a.txt', Buffer.alloc(20_000, 'first manatee '));
    await content.extracted(workspace);
    const folder = content.drivers.get('folder');
    if (!folder) throw new Error('no folder storage');
    let replaced = false;
    folder.beforeRead = async () => {
      if (replaced) return;
      replaced = true;
      await content.query(`UPDATE files SET revision = 2, status = 'pending' WHERE id = $1`, [file.id]);
    };
    await content.query('DELETE FROM file_documents WHERE file_id = $1', [file.id]);
    await content.get(ExtractTextHandler).executeBatch([item(file.id, 1)]);
    folder.beforeRead = () => undefined;
    expect(await content.count('file_documents WHERE file_id = $1', [file.id])).toBe(0);
    expect((await stateOf(workspace, file.id)).status).toBe('pending');
    await content.get(ExtractTextHandler).executeBatch([item(file.id, 2), item(file.id, 2)]);
    expect((await stateOf(workspace, file.id)).status).toBe('extracted');
  }, 60_000);

  it('of a deleted file is over without a trace', async () => {
    const workspace = await content.workspace();
    const { file } = await content.upload(workspace, 'a.txt', 'gone');
    await content.extracted(workspace);
    await content.get(FileService).delete(workspace, file.id);
    const results = await content.get(ExtractTextHandler).executeBatch([item(file.id, 1, 4)]);
    expect(results).toEqual([{ ok: true, value: 'superseded' }]);
    expect(await content.count('file_documents WHERE file_id = $1', [file.id])).toBe(0);
  });

  it('and an upload make cached results and places of files new', async () => {
    const workspace = await content.workspace();
    const locate = (id: string) => content.get(FileContentService).locate(workspace, id);
    expect(await search(workspace, 'platypus')).toEqual([]);
    const { file } = await content.upload(workspace, 'a.txt', 'platypus');
    await content.extracted(workspace);
    // The batch says so after it has written: the last of its steps may still be under way.
    await expectSoon(() => search(workspace, 'platypus'), ['a.txt']);
    expect((await locate(file.id)).sha256).toBe(file.sha256);
    const replaced = await content.upload(workspace, 'a.txt', 'echidna');
    expect((await locate(file.id)).sha256).toBe(replaced.file.sha256);
    await expectSoon(() => search(workspace, 'platypus'), []);
    await content.get(FileService).delete(workspace, file.id);
    await expect(locate(file.id)).rejects.toThrow('There is no file');
    await expectSoon(() => search(workspace, 'echidna'), []);
  }, 60_000);
});

async function expectSoon(look: () => Promise<unknown>, expected: unknown): Promise<void> {
  const wanted = JSON.stringify(expected);
  await until(async () => JSON.stringify(await look()) === wanted);
}

describe('the task of an extraction', () => {
  it('is committed with its file, or not at all', async () => {
    const workspace = await content.workspace();
    const transactions = content.get(Transactions);
    const upload = async (path: string) => {
      const { file } = await content.upload(workspace, path, 'an ocelot');
      const tasks = await transactions.manager.query<unknown[]>(
        'SELECT FROM task_outbox WHERE task_id = $1',
        [`extract-${file.id}-1`],
      );
      expect(tasks).toHaveLength(1);
    };
    const undone = transactions.run(async () => {
      await upload('undone.txt');
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await content.count('task_outbox')).toBe(0);
    await transactions.run(() => upload('done.txt'));
    await content.extracted(workspace);
    expect(await content.count(`files WHERE workspace_id = $1 AND status = 'extracted'`, [workspace])).toBe(
      1,
    );
  });
});

describe('who listens for texts', () => {
  it('hears of each in the transaction that writes it, and has it tried again by failing', async () => {
    const heard: { fileId: string; revision: number; status?: string }[] = [];
    let isDeaf = true;
    let refusals = 0;
    const listening = await ContentFixture.start({
      onTextExtracted: async (files) => {
        if (isDeaf) throw new Error(`It does not want to hear, ${++refusals}`);
        const { manager } = listening.get(Transactions);
        for (const { fileId, revision } of files) {
          const [file] = await manager.query<{ status: string }[]>('SELECT status FROM files WHERE id = $1', [
            fileId,
          ]);
          heard.push({ fileId, revision, ...file });
        }
      },
    });
    try {
      const workspace = await listening.workspace();
      const { file } = await listening.upload(workspace, 'a.txt', 'a lemur');
      await until(() => refusals > 0);
      const states = () => listening.query('SELECT status FROM files');
      expect(await states()).toEqual([{ status: 'pending' }]);
      expect(await listening.count('file_documents')).toBe(0);
      isDeaf = false;
      await listening.extracted(workspace);
      await listening.upload(workspace, 'a.txt', Buffer.from([0, 1]));
      await listening.extracted(workspace);
      const told = (revision: number, status: string) => ({ fileId: file.id, revision, status });
      expect(heard).toEqual([told(1, 'extracted'), told(2, 'skipped')]);
    } finally {
      await listening.stop();
    }
  }, 60_000);
});
