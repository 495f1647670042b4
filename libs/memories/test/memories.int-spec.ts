import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  AuditService,
  BootstrapService,
  FeedbackService,
  InvalidMemoryError,
  InvalidMemoryQueryError,
  MemoriesSweeper,
  MemoryBatchTooLargeError,
  MemoryNotFoundError,
  MemoryQueryService,
  MemoryService,
  MemoryWorkspaceNotFoundError,
} from '../src/index.js';
import { hashingEmbedder, MemoriesFixture } from './memories-fixture.js';
import { statementsOf } from './statement-log.js';

const HOUR_MS = 3_600_000;

let fixture: MemoriesFixture;
/** Where nothing runs in the background, so that statements can be counted. */
let quiet: MemoriesFixture;
beforeAll(async () => {
  fixture = await MemoriesFixture.start({ consolidation: { enabled: false } });
  quiet = await MemoriesFixture.start({ worker: false });
}, 120_000);
afterAll(async () => {
  await fixture?.stop();
  await quiet?.stop();
});

const memoriesOf = (workspace: string) => fixture.count('memories WHERE workspace_id = $1', [workspace]);
const note = (n: number) => `Note ${n}: shelf ${n % 7} of the archive holds folder ${n * 13}.`;

describe('adding', () => {
  it('keeps 1,000 contents once, though they are added thirty times, in one statement each time', async () => {
    const workspace = await fixture.workspace();
    const contents = Array.from({ length: 500 }, (_, n) => note(n));
    const others = Array.from({ length: 500 }, (_, n) => note(n + 500));
    const first = [
      ...(await fixture.add(workspace, ...contents)),
      ...(await fixture.add(workspace, ...others)),
    ];
    expect(first.every((it) => it.status === 'created')).toBe(true);
    const sent = await statementsOf(fixture, async () => {
      for (let round = 1; round < 30; round++) {
        const again = [
          ...(await fixture.add(workspace, ...contents)),
          ...(await fixture.add(workspace, ...others)),
        ];
        expect(again).toEqual(first.map(({ id }) => ({ id, status: 'existing' })));
      }
    });
    expect(sent.filter((it) => it.includes('INSERT INTO memories'))).toHaveLength(58);
    expect(await memoriesOf(workspace)).toBe(1_000);
  }, 120_000);

  it('makes one row of fifty equal adds at once', async () => {
    const workspace = await fixture.workspace();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fixture.add(workspace, 'the same fact', 'and another one')),
    );
    expect(new Set(answers.map(([it]) => it?.id)).size).toBe(1);
    expect(answers.filter(([it]) => it?.status === 'created')).toHaveLength(1);
    expect(await memoriesOf(workspace)).toBe(2);
  }, 60_000);

  it('takes contents for the same that differ in white space and composition only', async () => {
    const workspace = await fixture.workspace();
    const added = await fixture.add(
      workspace,
      ' caf\u00e9  opens\nat 8',
      'cafe\u0301 opens at 8',
      'Caf\u00e9 opens at 8',
    );
    expect(new Set(added.map((it) => it.id)).size).toBe(2);
    expect(added[0]?.id).toBe(added[1]?.id);
  });

  it.each([
    ['an empty content', ['fine', ' \n\t'], InvalidMemoryError],
    ['a NUL', ['fine', 'a\0b'], InvalidMemoryError],
    ['ten megabytes', ['fine', 'x'.repeat(10_000_000)], InvalidMemoryError],
    ['no content', [], MemoryBatchTooLargeError],
    ['10,000 contents', Array.from({ length: 10_000 }, (_, n) => `fact ${n}`), MemoryBatchTooLargeError],
  ])('refuses %s, and stores nothing of the call', async (_, contents, error) => {
    const workspace = await fixture.workspace();
    await expect(fixture.add(workspace, ...contents)).rejects.toThrow(error);
    expect(await memoriesOf(workspace)).toBe(0);
  });

  it('refuses a workspace that is not there', async () => {
    await expect(fixture.add(randomUUID(), 'a fact')).rejects.toThrow(MemoryWorkspaceNotFoundError);
  });
});

describe('a query', () => {
  it('shows a workspace its own memories only', async () => {
    const [mine, other] = [await fixture.workspace(), await fixture.workspace()];
    const [id = ''] = await fixture.remember(mine, 'the heron fishes at dawn');
    expect((await fixture.find(mine, 'heron')).hits.map((it) => it.id)).toEqual([id]);
    expect((await fixture.find(other, 'the heron fishes at dawn')).hits).toEqual([]);
    const memories = fixture.get(MemoryService);
    await expect(memories.get(other, id)).rejects.toThrow(MemoryNotFoundError);
    await expect(memories.delete(other, id)).rejects.toThrow(MemoryNotFoundError);
    await expect(memories.associations(other, id, { limit: 5 })).rejects.toThrow(MemoryNotFoundError);
    expect(await fixture.get(BootstrapService).bootstrap(other, 50)).toEqual([]);
    expect((await fixture.get(AuditService).audit(other)).memories).toBe(0);
  }, 60_000);

  it('says why each hit stands where it does', async () => {
    const workspace = await fixture.workspace();
    await fixture.remember(workspace, 'kestrels hover over the field', 'the field is ploughed in March');
    const { hits, usedVector } = await fixture.find(workspace, 'where do kestrels hover');
    expect(usedVector).toBe(true);
    const [first] = hits;
    expect(first?.content).toBe('kestrels hover over the field');
    expect(first?.explanation.keyword?.share).toBe(1);
    expect(first?.explanation.vector?.share).toBe(1);
    expect(first?.explanation.score).toBeCloseTo(
      (first?.explanation.relevance ?? 0) * (first?.explanation.boost ?? 0),
    );
  }, 60_000);

  it.each([
    ['stop words', 'the of and'],
    ['no word', '?!'],
    ['quotes', "it's a \\ 'quote"],
    ['operators', '&|!:*<->'],
    ['a picture', '\u{1f9e0}'],
    ['a word of 4,000 letters', 'x'.repeat(4_000)],
  ])('answers %s', async (_, query) => {
    const workspace = await fixture.workspace();
    await fixture.add(workspace, "it's a \\ 'quoted' fact");
    expect((await fixture.find(workspace, query)).hits.length).toBeLessThanOrEqual(1);
  });

  it.each([
    ['an empty query', '', 10],
    ['control characters', ' \0 ', 10],
    ['4,001 characters', 'x'.repeat(4_001), 10],
    ['no hit', 'heron', 0],
    ['51 hits', 'heron', 51],
    ['NaN hits', 'heron', Number.NaN],
  ])('refuses %s', async (_, query, limit) => {
    await expect(fixture.find(randomUUID(), query, limit)).rejects.toThrow(InvalidMemoryQueryError);
  });

  it('takes four statements with twenty hits, the writes included', async () => {
    const fixture = quiet;
    const workspace = await fixture.workspace();
    await fixture.add(workspace, ...Array.from({ length: 60 }, (_, n) => note(n)));
    const feedback = fixture.get(FeedbackService);
    await feedback.flush();
    const queries = fixture.get(MemoryQueryService);
    const read = await statementsOf(fixture, () =>
      queries.query(workspace, { query: 'folder of the archive', limit: 20 }),
    );
    expect(read).toHaveLength(2);
    const written = await statementsOf(fixture, () => feedback.flush());
    expect(written).toHaveLength(2);
    expect(await fixture.count('memory_associations WHERE workspace_id = $1', [workspace])).toBe(190);
    expect(await fixture.count('memory_states WHERE workspace_id = $1 AND accesses = 1', [workspace])).toBe(
      20,
    );

    // The answers of ten requests are written as those of one.
    for (let n = 0; n < 10; n++)
      await queries.query(workspace, { query: 'folder of the archive', limit: 20 });
    expect(await statementsOf(fixture, () => feedback.flush())).toHaveLength(2);
    expect(await statementsOf(fixture, () => feedback.flush())).toHaveLength(0);
  }, 60_000);
});

describe('use', () => {
  const record = async (workspaceId: string, memoryIds: readonly string[], at: Date) => {
    fixture.get(FeedbackService).record({ workspaceId, memoryIds }, at);
    await fixture.get(FeedbackService).flush();
  };

  it('counts once an hour, promotes what is used on several days, and demotes what is not', async () => {
    const workspace = await fixture.workspace();
    const [id = ''] = await fixture.remember(workspace, 'the owl hunts at night');
    const memories = fixture.get(MemoryService);
    const start = Date.now();
    const at = (hours: number) => new Date(start + hours * HOUR_MS);
    await record(workspace, [id], at(0.5));
    expect(await memories.get(workspace, id)).toMatchObject({ uses: 1, accesses: 1, tier: 'active' });
    await record(workspace, [id], at(2));
    await record(workspace, [id], at(2.5));
    expect(await memories.get(workspace, id)).toMatchObject({ uses: 2, accesses: 3, tier: 'active' });
    await fixture.get(BootstrapService).bootstrap(workspace, 50);
    await record(workspace, [id], at(25));
    expect(await memories.get(workspace, id)).toMatchObject({ uses: 3, tier: 'thread' });
    // A change of tier reaches the cached bootstrap.
    expect(await fixture.get(BootstrapService).bootstrap(workspace, 50)).toMatchObject([
      { id, tier: 'thread' },
    ]);
    for (let day = 2; day < 12; day++) await record(workspace, [id], at(day * 24));
    const stable = await memories.get(workspace, id);
    expect(stable).toMatchObject({ uses: 13, tier: 'stable' });
    expect(stable.recentUses).toHaveLength(8);
    await fixture.get(MemoriesSweeper).demote(at(11 * 24 + 93 * 24));
    expect(await memories.get(workspace, id)).toMatchObject({ tier: 'thread' });
  }, 60_000);

  it('lists what was found together by pages, with how much more than by chance', async () => {
    const workspace = await fixture.workspace();
    const ids = await fixture.remember(workspace, ...Array.from({ length: 6 }, (_, n) => note(n)));
    const [one = '', two = '', ...rest] = ids;
    const now = new Date();
    await record(workspace, [one, two], now);
    await record(workspace, [one, two], now);
    await record(workspace, [one, ...rest], now);
    await record(workspace, rest, now);
    const memories = fixture.get(MemoryService);
    const first = await memories.associations(workspace, one, { limit: 2 });
    expect(first.items[0]).toMatchObject({ memoryId: two, times: 2 });
    expect(first.items[0]?.strength).toBeGreaterThan(first.items[1]?.strength ?? 1);
    const second = await memories.associations(workspace, one, { limit: 9, cursor: first.nextCursor ?? '' });
    expect([...first.items, ...second.items].map((it) => it.memoryId).sort()).toEqual([two, ...rest].sort());
  }, 60_000);

  it('brings what was used together nearer, within bounds', async () => {
    const workspace = await fixture.workspace();
    const [asked = '', linked = ''] = await fixture.remember(
      workspace,
      'the deploy key lies in the red safe',
      'Marta knows the combination',
      'lunch is served in the hall',
    );
    for (let n = 0; n < 5; n++) await record(workspace, [asked, linked], new Date());
    await record(workspace, [], new Date());
    const { hits } = await fixture.find(workspace, 'where is the deploy key of the combination');
    const found = hits.find((it) => it.id === linked);
    expect(found?.explanation.association).toBeGreaterThan(0);
    for (const { explanation } of hits) {
      expect(explanation.boost).toBeGreaterThanOrEqual(0.7);
      expect(explanation.boost).toBeLessThanOrEqual(1.5);
    }
  }, 60_000);
});

describe('the bootstrap', () => {
  it('is one statement of reads, answers from the cache, and ends with a write', async () => {
    const fixture = quiet;
    const workspace = await fixture.workspace();
    await fixture.add(workspace, ...Array.from({ length: 90 }, (_, n) => note(n)));
    await fixture.query(
      `UPDATE memory_states s SET tier = (ARRAY['active', 'thread', 'stable'])[n % 3 + 1]
         FROM (SELECT memory_id, row_number() OVER () AS n FROM memory_states WHERE workspace_id = $1) t
        WHERE t.memory_id = s.memory_id`,
      [workspace],
    );
    const bootstraps = fixture.get(BootstrapService);
    const sent = await statementsOf(fixture, async () => {
      const memories = await bootstraps.bootstrap(workspace, 50);
      const byTier = Map.groupBy(memories, (it) => it.tier);
      expect([...byTier].map(([tier, its]) => [tier, its.length])).toEqual([
        ['active', 20],
        ['thread', 15],
        ['stable', 15],
      ]);
      expect(await bootstraps.bootstrap(workspace, 50)).toEqual(memories);
    });
    expect(sent).toHaveLength(1);
    const [added] = await fixture.add(workspace, 'a new fact');
    expect((await bootstraps.bootstrap(workspace, 50))[0]?.id).toBe(added?.id);
    await fixture.get(MemoryService).delete(workspace, added?.id ?? '');
    expect((await bootstraps.bootstrap(workspace, 50)).map((it) => it.id)).not.toContain(added?.id);
  }, 60_000);
});

describe('the audit', () => {
  it('finds what is there twice in other words, and what nobody reads', async () => {
    const workspace = await fixture.workspace();
    await fixture.remember(
      workspace,
      'The backup runs every night and is kept for two weeks.',
      'the backup runs every night, and is kept for two weeks',
      ...Array.from({ length: 8 }, (_, n) => note(n)),
    );
    expect(await fixture.get(AuditService).audit(workspace)).toMatchObject({
      memories: 10,
      waitingForEmbedding: 0,
      neverReadShare: 1,
      duplicates: { sampled: 10, found: 1 },
      nearDuplicates: { sampled: 10, comparedWith: 10 },
      growth: [{ added: 10 }],
    });
  }, 60_000);
});

describe('an embedder', () => {
  it.each([
    ['NaN', () => new Float32Array(384).fill(Number.NaN)],
    ['another length', () => new Float32Array(96).fill(1)],
  ])(
    'that gives %s is not believed: memories and queries live by their words',
    async (_, vector) => {
      const own = await MemoriesFixture.start({
        embedder: { ...hashingEmbedder(), embed: (texts) => Promise.resolve(texts.map(vector)) },
      });
      try {
        const workspace = await own.workspace();
        const [added] = await own.add(workspace, 'a heron fishes at dawn');
        const { hits, usedVector } = await own.find(workspace, 'heron');
        expect([usedVector, hits.map((it) => it.id)]).toEqual([false, [added?.id]]);
        expect(await own.count('memory_vectors')).toBe(0);
      } finally {
        await own.stop();
      }
    },
    60_000,
  );

  it('that is slow holds no query up', async () => {
    let answer = (): void => undefined;
    const patience = new Promise<void>((resolve) => (answer = resolve));
    const slow = {
      ...hashingEmbedder(),
      embed: async (texts: readonly string[]) => {
        await patience;
        return hashingEmbedder().embed(texts, { workspaceId: '' });
      },
    };
    const own = await MemoriesFixture.start({ embedder: slow, embedDeadlineMs: 20 });
    try {
      const workspace = await own.workspace();
      await own.add(workspace, 'a heron fishes at dawn');
      const { hits, usedVector } = await own.find(workspace, 'heron');
      expect([usedVector, hits.length]).toEqual([false, 1]);
    } finally {
      answer();
      await own.stop();
    }
  }, 60_000);
});
