import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsolidationService, MemoryNotFoundError, MemoryService, NotASummaryError } from '../src/index.js';
import { MemoriesFixture } from './memories-fixture.js';

let fixture: MemoriesFixture;
beforeAll(async () => {
  // Merging is asked for by the tests, one memory at a time.
  fixture = await MemoriesFixture.start({ consolidation: { enabled: false, minCosine: 0.85 } });
}, 120_000);
afterAll(() => fixture?.stop());

const SAME = [
  'The staging database is restored from the backup every night.',
  'Every night the staging database is restored from the backup.',
  'Every night, the staging database is restored from the backup!',
];

const consolidate = async (workspace: string, ids: readonly string[]) => {
  for (const id of ids) await fixture.get(ConsolidationService).consolidate(workspace, id);
  await fixture.settled(workspace);
};
const found = async (workspace: string, query: string) => (await fixture.find(workspace, query)).hits;

/** Facts that only a digit, a version, a date, a name or a negation tells apart. */
function pairsApart(): [string, string][] {
  const pairs: [string, string][] = [];
  for (let n = 0; n < 60; n++) {
    const service = `service-${n}`;
    pairs.push(
      [
        `The ${service} listens on port ${8000 + n} of the gateway.`,
        `The ${service} listens on port ${8001 + n} of the gateway.`,
      ],
      [
        `The ${service} runs release v${n}.1 in production.`,
        `The ${service} runs release v${n}.2 in production.`,
      ],
      [
        `The ${service} is allowed to call the billing system.`,
        `The ${service} is not allowed to call the billing system.`,
      ],
      [
        `The contract of ${service} ends in the month of March.`,
        `The contract of ${service} ends in the month of May.`,
      ],
      [
        `The owner of ${service} can restart it without asking.`,
        `The owner of ${service} can't restart it without asking.`,
      ],
    );
  }
  return pairs;
}

describe('consolidation', () => {
  it('keeps 300 pairs apart that differ in a digit or a negation', async () => {
    const workspace = await fixture.workspace();
    const pairs = pairsApart();
    expect(pairs).toHaveLength(300);
    const ids = await fixture.remember(workspace, ...pairs.slice(0, 150).flat());
    ids.push(...(await fixture.remember(workspace, ...pairs.slice(150).flat())));
    await consolidate(workspace, ids);
    expect(await fixture.count(`memories WHERE workspace_id = $1 AND kind = 'summary'`, [workspace])).toBe(0);
  }, 180_000);

  it('lets one summary stand for what says the same, as old as the oldest, and does it once', async () => {
    const workspace = await fixture.workspace();
    const ids = await fixture.remember(workspace, ...SAME, 'Lunch is served in the hall.');
    await fixture.query(`UPDATE memories SET created_at = '2025-01-01Z' WHERE id = $1`, [ids[1]]);
    await consolidate(workspace, ids);
    await consolidate(workspace, ids);
    const [hit, ...others] = (await found(workspace, 'staging database restored')).filter((it) =>
      it.content.includes('staging'),
    );
    expect(others).toEqual([]);
    expect(hit).toMatchObject({ kind: 'summary', createdAt: new Date('2025-01-01Z') });
    expect(hit?.sources).toEqual(ids.slice(0, 3).toSorted());
    // The originals are there, and say where they went.
    const original = await fixture.get(MemoryService).get(workspace, ids[0] ?? '');
    expect(original).toMatchObject({ content: SAME[0], summarisedBy: hit?.id });
    expect(await fixture.add(workspace, SAME[0] ?? '')).toEqual([{ id: ids[0], status: 'existing' }]);
  }, 60_000);

  it('takes a later one into the group by a new summary of the originals, never of the summary', async () => {
    const workspace = await fixture.workspace();
    const first = await fixture.remember(workspace, ...SAME.slice(0, 2));
    await consolidate(workspace, first);
    const later = await fixture.remember(workspace, SAME[2] ?? '');
    await consolidate(workspace, later);
    const summaries = await fixture.query<{ id: string }>(
      `SELECT id FROM memories WHERE workspace_id = $1 AND kind = 'summary'`,
      [workspace],
    );
    expect(summaries).toHaveLength(1);
    const { sources } = await fixture.get(MemoryService).get(workspace, summaries[0]?.id ?? '');
    expect(sources).toEqual([...first, ...later].toSorted());
  }, 60_000);

  it('is undone by the id of the summary, for good', async () => {
    const workspace = await fixture.workspace();
    const ids = await fixture.remember(workspace, ...SAME);
    await consolidate(workspace, ids);
    const [summary] = await found(workspace, 'staging database');
    const consolidation = fixture.get(ConsolidationService);
    expect((await consolidation.undo(workspace, summary?.id ?? '')).toSorted()).toEqual(ids.toSorted());
    await consolidate(workspace, ids);
    const after = await found(workspace, 'staging database');
    expect(after.map((it) => it.id).toSorted()).toEqual(ids.toSorted());
    expect(after.every((it) => it.explanation.vector !== null)).toBe(true);
    await expect(consolidation.undo(workspace, summary?.id ?? '')).rejects.toThrow(MemoryNotFoundError);
    await expect(consolidation.undo(workspace, ids[0] ?? '')).rejects.toThrow(NotASummaryError);
  }, 60_000);

  it('leaves no words behind of what is deleted', async () => {
    const workspace = await fixture.workspace();
    const [one = '', two = '', three = ''] = await fixture.remember(workspace, ...SAME);
    await consolidate(workspace, [one, two, three]);
    const memories = fixture.get(MemoryService);
    await memories.delete(workspace, one);
    const left = await found(workspace, 'staging database');
    expect(left.map((it) => it.id).toSorted()).toEqual([two, three].toSorted());
    await consolidate(workspace, [two, three]);
    const [summary] = await found(workspace, 'staging database');
    expect(summary?.kind).toBe('summary');
    await memories.delete(workspace, summary?.id ?? '');
    expect(await fixture.count('memories WHERE workspace_id = $1', [workspace])).toBe(0);
    await fixture.settled(workspace);
    const rest = await fixture.query(
      `SELECT lexeme FROM memory_term_totals WHERE workspace_id = $1 AND memories <> 0`,
      [workspace],
    );
    expect(rest).toEqual([]);
  }, 60_000);
});
