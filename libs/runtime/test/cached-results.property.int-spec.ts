import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { QueryFixture, type Member } from './query-fixture.js';

jest.setTimeout(120_000);

const TENANTS = [1, 2, 3];
const NEVER = -1;

type Step =
  | { readonly kind: 'read'; readonly by: number; readonly tenant: number; readonly caughtUp: boolean }
  | { readonly kind: 'write'; readonly by: number; readonly tenant: number; readonly commits: boolean }
  | { readonly kind: 'write by a stranger'; readonly tenant: number };

const tenant = fc.constantFrom(...TENANTS);
const by = fc.nat({ max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('read' as const), by, tenant, caughtUp: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('write' as const), by, tenant, commits: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('write by a stranger' as const), tenant }) },
);

let fixture: QueryFixture;
let members: Member[];
beforeAll(async () => {
  fixture = await QueryFixture.start();
  members = await Promise.all([fixture.member(), fixture.member()]);
});
afterAll(() => fixture?.stop());

/** One run: counters that only rise, and what each process must have seen of them. */
class Run {
  readonly #committed = new Map(TENANTS.map((it) => [it, 0]));
  readonly #known = members.map(() => new Map(TENANTS.map((it) => [it, 0])));

  async do(it: Step): Promise<void> {
    if (it.kind === 'read') return this.#read(it);
    if (it.kind === 'write') return this.#write(it);
    await fixture.stranger.query('UPDATE item SET n = n + 1 WHERE tenant = $1', [it.tenant]);
    this.#raise(this.#committed, it.tenant);
  }

  async #read({ by, tenant, caughtUp }: Extract<Step, { kind: 'read' }>): Promise<void> {
    const { optimizer } = members[by] as Member;
    const known = (caughtUp ? this.#committed : this.#known[by])?.get(tenant) ?? 0;
    if (caughtUp) await optimizer.catchUp();
    const { rows } = await optimizer.execute<{ n: number }>(
      'SELECT n FROM item WHERE tenant = $1',
      [tenant],
      {
        cache: true,
      },
    );
    expect(rows[0]?.n).toBeGreaterThanOrEqual(known);
    expect(rows[0]?.n).not.toBe(NEVER);
  }

  async #write({ by, tenant, commits }: Extract<Step, { kind: 'write' }>): Promise<void> {
    const { optimizer } = members[by] as Member;
    await optimizer.pool.use(async (client) => {
      await client.query('BEGIN');
      const change = commits ? 'n = n + 1' : `n = ${NEVER}`;
      await client.query(`UPDATE item SET ${change} WHERE tenant = $1`, [tenant]);
      await client.query(commits ? 'COMMIT' : 'ROLLBACK');
    });
    if (!commits) return;
    this.#raise(this.#committed, tenant);
    this.#raise(this.#known[by] as Map<number, number>, tenant);
  }

  #raise(counters: Map<number, number>, tenant: number): void {
    counters.set(tenant, (counters.get(tenant) ?? 0) + 1);
  }
}

it('a read is never older than the writes of its process, nor than any once caught up, nor of a rollback', async () => {
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(rounds, async (steps) => {
      await fixture.stranger.query('DELETE FROM item');
      await fixture.stranger.query('INSERT INTO item SELECT id, id, 0 FROM unnest($1::int[]) AS t (id)', [
        TENANTS,
      ]);
      await Promise.all(members.map((it) => it.optimizer.catchUp()));
      const run = new Run();
      // Those of a round at once.
      for (const round of steps) await Promise.all(round.map((it) => run.do(it)));
    }),
    { numRuns: 60 },
  );
  const { hits, misses } = members[0]?.optimizer.report().cache ?? { hits: 0, misses: 0 };
  expect(hits).toBeGreaterThan(0);
  expect(misses).toBeGreaterThan(0);
});
