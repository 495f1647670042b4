import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { MemoriesSweeper } from '../src/index.js';
import { hashingEmbedder, MemoriesFixture } from './memories-fixture.js';

const RUNBOOK = new URL('../../../docs/runbooks/memories.md', import.meta.url);

let fixture: MemoriesFixture;
beforeAll(async () => {
  fixture = await MemoriesFixture.start({ consolidation: { enabled: false } });
}, 120_000);
afterAll(() => fixture?.stop());

/** As the page has it, with psql's variable filled in. */
function statementOfTheRunbook(embedder: string): string {
  const [, sql = ''] = /```sql\n(.*?)```/s.exec(readFileSync(RUNBOOK, 'utf8')) ?? [];
  return sql.replace(`:'embedder'`, `'${embedder}'`);
}

it('after a change of the model the statement of the runbook has a worker embed all that is found', async () => {
  const workspace = await fixture.workspace();
  const ids = await fixture.remember(workspace, 'the heron fishes at dawn', 'the owl hunts at night');
  for (const table of ['memory_vectors', 'memory_codes']) {
    await fixture.query(`UPDATE ${table} SET embedder = 'the model before'`);
  }
  const vectors = async () =>
    (await fixture.find(workspace, 'heron')).hits.map((it) => it.explanation.vector);
  expect(await vectors()).toEqual([null]);

  const { id: embedder } = hashingEmbedder();
  await fixture.query(statementOfTheRunbook(embedder));
  expect(await fixture.get(MemoriesSweeper).resubmitEmbeddings()).toBe(ids.length);
  await fixture.settled(workspace);
  expect(await vectors()).toContainEqual(expect.objectContaining({ cosine: expect.any(Number) }));
  for (const table of ['memory_vectors', 'memory_codes']) {
    expect(await fixture.count(`${table} WHERE embedder = $1`, [embedder])).toBe(ids.length);
  }
  // Done again it finds nothing to do.
  await fixture.query(statementOfTheRunbook(embedder));
  expect(await fixture.count('memory_pending_embeddings')).toBe(0);
}, 60_000);
