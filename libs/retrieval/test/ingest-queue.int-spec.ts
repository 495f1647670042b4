import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FileService } from '@peregrine/content';
import { TaskWorker } from '@peregrine/task-queue';
import { until } from '@peregrine/database/testing';
import { IngestSweeper, RetrievalService } from '../src/index.js';
import { paragraph } from './ingest-fixture.js';
import { IngestQueueFixture } from './ingest-queue-fixture.js';

let fixture: IngestQueueFixture;
let workspace: string;
const found = async (text: string) => {
  const { hits } = await fixture.get(RetrievalService).query(workspace, { text, limit: 3 });
  return hits.map((it) => it.documentId);
};

describe('a file that is uploaded', () => {
  beforeAll(async () => {
    fixture = await IngestQueueFixture.start();
  }, 120_000);
  afterAll(() => fixture?.stop());
  beforeEach(async () => {
    workspace = await fixture.workspace();
    fixture.embedder.take();
  });
  afterEach(() => {
    fixture.embedder.before = () => undefined;
  });

  it('is found, with what replaces it, and no more once it is deleted', async () => {
    const id = await fixture.upload(workspace, 'birds.md', '# Birds\n\nThe heron fishes at dawn.');
    await fixture.upload(workspace, 'picture.png', '\0\0\0');
    await fixture.ingested(workspace);
    expect(await found('heron')).toEqual([id]);
    await fixture.upload(workspace, 'birds.md', '# Birds\n\nThe owl hunts at night.');
    await fixture.ingested(workspace);
    const { hits } = await fixture.get(RetrievalService).query(workspace, { text: 'heron' });
    expect(hits.map((it) => [it.text, it.keyword])).toEqual([['# Birds\n\nThe owl hunts at night.', null]]);
    await fixture.get(FileService).delete(workspace, id);
    expect(await found('owl')).toEqual([]);
  }, 60_000);

  it('has its passages embedded together with those of others', async () => {
    await fixture.get(TaskWorker).hold();
    const files = 32;
    for (let it = 0; it < files; it++)
      await fixture.upload(workspace, `${it}.md`, `# ${it}\n\n${paragraph(`n${it}m`)}`);
    await fixture.get(TaskWorker).release();
    await fixture.ingested(workspace);
    const { calls } = fixture.embedder;
    expect(calls.flat()).toHaveLength(files);
    expect(calls.length).toBeLessThan(files);
  }, 60_000);

  it('is not held up by one whose text cannot be embedded, which is tried again', async () => {
    let isBroken = true;
    fixture.embedder.before = (texts) => {
      if (isBroken && texts.some((it) => it.includes('poison'))) throw new Error('It cannot be embedded');
    };
    await fixture.get(TaskWorker).hold();
    const bad = await fixture.upload(workspace, 'bad.md', 'poison');
    for (const it of ['a', 'b', 'c']) await fixture.upload(workspace, `${it}.md`, `${it} good text`);
    await fixture.get(TaskWorker).release();
    await fixture.untilNone(workspace, `f.path <> 'bad.md' AND d.document_id IS NULL`);
    expect(await found('good')).toHaveLength(3);
    isBroken = false;
    await fixture.ingested(workspace);
    expect(await found('poison')).toContain(bad);
  }, 60_000);

  it('is asked for once, however often it is swept while it waits', async () => {
    await fixture.get(TaskWorker).hold();
    await fixture.upload(workspace, 'a.md', 'a good text');
    await fixture.get(IngestSweeper).sweep();
    await fixture.get(IngestSweeper).sweep();
    await fixture.get(TaskWorker).release();
    await fixture.ingested(workspace);
    expect(fixture.embedder.take()).toBe(1);
  }, 60_000);
});

describe('files whose tasks there never were, or were lost', () => {
  beforeAll(async () => {
    fixture = await IngestQueueFixture.start({ listens: false });
    workspace = await fixture.workspace();
  }, 120_000);
  afterAll(() => fixture?.stop());

  const sweep = () => fixture.get(IngestSweeper).sweep();
  /** Again and again, as a worker does: what is submitted while its task is just ending is dropped. */
  const sweepAll = () => until(async () => (await sweep()) === 0);

  it('are ingested by sweeps, and anew when there is another embedder', async () => {
    for (const it of ['a', 'b', 'c']) await fixture.upload(workspace, `${it}.md`, `${it} good text`);
    await fixture.extracted(workspace);
    expect(await found('good')).toEqual([]);
    expect(await sweep()).toBe(3);
    await sweepAll();
    expect(await found('good')).toHaveLength(3);
    await fixture.upload(workspace, 'a.md', 'another good text');
    await fixture.extracted(workspace);
    expect(await sweep()).toBe(1);
    await sweepAll();
    fixture.embedder.id = 'another';
    expect(await found('good')).toEqual([]);
    expect(await sweep()).toBe(3);
    await sweepAll();
    expect(await found('good')).toHaveLength(3);
  }, 60_000);

  it('are looked for some at a time, all of them in turn', async () => {
    await fixture.query(
      `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
       SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, 'many/' || n, 'x', 'text/plain', 0, '', 'extracted'
         FROM generate_series(1, 20000) n`,
      [workspace],
    );
    await fixture.query(
      `INSERT INTO retrieval_documents SELECT f.id, f.workspace_id, f.revision, d.chunking, d.embedder, '{}'
         FROM files f CROSS JOIN (SELECT chunking, embedder FROM retrieval_documents LIMIT 1) d WHERE f.path LIKE 'many/%'`,
    );
    const last = await fixture.upload(workspace, 'last.md', 'the last good text');
    await fixture.extracted(workspace);
    expect([await sweep(), await sweep()]).toEqual([0, 1]);
    await fixture.ingested(workspace);
    expect(await found('last')).toContain(last);
    expect([await sweep(), await sweep()]).toEqual([0, 0]);
  }, 60_000);
});
