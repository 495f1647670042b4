import assert from 'node:assert/strict';
import { type Invalidation, type InvalidationQueue } from '../invalidation/invalidation-queue.js';

/**
 * One promise of a contract, as a test for any runner:
 * `for (const { title, run } of invalidationQueueContract(make)) it(title, run)`.
 */
export interface ContractCase {
  /** A sentence about behaviour. */
  readonly title: string;
  /** @throws {AssertionError} of `node:assert` when the promise is broken. */
  readonly run: () => Promise<void>;
}

/** A queue for one case, empty, and its end. */
export interface OpenedQueue {
  readonly queue: InvalidationQueue;
  close(): Promise<void>;
}

const LONG_MS = 3_600_000;
const tag = (value: string, provider = 'edge') =>
  ({ provider, target: { kind: 'tag', value }, soft: false }) as const;
const idsOf = (its: readonly Invalidation[]) => its.map((it) => it.id);
const sent = { sentAs: 'tag', verified: true } as const;
const retry = { error: 'it answers 500', delayMs: LONG_MS, countsAsAttempt: true } as const;

/** What every `InvalidationQueue` does. */
export function invalidationQueueContract(open: () => Promise<OpenedQueue>): ContractCase[] {
  const cases: Record<string, (queue: InvalidationQueue) => Promise<void>> = {
    'keeps a target that is pending once, and counts who asked': async (queue) => {
      const [first] = await queue.add([tag('a'), tag('b')]);
      const [again, other] = await queue.add([tag('a'), tag('a', 'other')]);
      assert.equal(again?.id, first?.id);
      assert.equal(again?.requests, 2);
      assert.notEqual(other?.id, first?.id);
      assert.equal((await queue.pending(10)).length, 3);
    },
    'tells hard from soft, and one kind from another': async (queue) => {
      await queue.add([
        tag('a'),
        { ...tag('a'), soft: true },
        { ...tag('a'), target: { kind: 'path', value: 'a' } },
      ]);
      assert.equal((await queue.due('edge', 10)).length, 3);
    },
    'gives what is due by provider, oldest first, and no more than asked for': async (queue) => {
      for (const value of ['a', 'b', 'c']) await queue.add([tag(value), tag(value, 'other')]);
      const due = await queue.due('edge', 2);
      assert.deepEqual(
        due.map((it) => [it.provider, it.target.value]),
        [
          ['edge', 'a'],
          ['edge', 'b'],
        ],
      );
      assert.equal(await queue.nextDueMs('edge'), 0);
      assert.equal(await queue.nextDueMs('nobody'), undefined);
    },
    'gives each purge to one of those who claim it': async (queue) => {
      const ids = idsOf(await queue.add([tag('a'), tag('b')]));
      const claims = await Promise.all([queue.claim(ids, LONG_MS), queue.claim(ids, LONG_MS)]);
      assert.deepEqual(claims.flat().sort(), [...ids].sort());
      assert.deepEqual(await queue.due('edge', 10), []);
      assert.ok((await queue.nextDueMs('edge')) ?? 0 > 0);
    },
    'gives a purge again when its claim has run out': async (queue) => {
      const ids = idsOf(await queue.add([tag('a')]));
      await queue.claim(ids, 0);
      assert.deepEqual(idsOf(await queue.due('edge', 10)), ids);
      assert.deepEqual(await queue.claim(ids, LONG_MS), ids);
    },
    'takes a target anew while it is being sent': async (queue) => {
      const [first] = await queue.add([tag('a')]);
      await queue.claim([first?.id ?? ''], LONG_MS);
      const [second] = await queue.add([tag('a')]);
      assert.notEqual(second?.id, first?.id);
      assert.deepEqual(idsOf(await queue.due('edge', 10)), [second?.id]);
      await queue.succeed([first?.id ?? ''], sent);
      assert.deepEqual(idsOf(await queue.pending(10)), [second?.id]);
    },
    'remembers what was done and what was given up, newest first': async (queue) => {
      const [a, b] = await queue.add([tag('a'), tag('b')]);
      for (const it of [a, b]) await queue.claim([it?.id ?? ''], LONG_MS);
      await queue.succeed([a?.id ?? ''], sent);
      await queue.fail([b?.id ?? ''], 'refused');
      const history = await queue.history(10);
      assert.deepEqual(
        history.map((it) => [it.state, it.sentAs, it.verified, it.error]),
        [
          ['failed', null, null, 'refused'],
          ['done', 'tag', true, null],
        ],
      );
      assert.ok(history.every((it) => it.endedAt instanceof Date));
      assert.equal((await queue.history(1)).length, 1);
      assert.deepEqual(await queue.pending(10), []);
    },
    'puts a purge back with its reason, and not before its time': async (queue) => {
      const ids = idsOf(await queue.add([tag('a')]));
      await queue.claim(ids, LONG_MS);
      await queue.postpone(ids, { ...retry, alone: true });
      const [it] = await queue.pending(10);
      assert.deepEqual(
        [it?.state, it?.attempts, it?.error, it?.alone],
        ['pending', 1, 'it answers 500', true],
      );
      assert.deepEqual(await queue.due('edge', 10), []);
      assert.deepEqual(await queue.claim(ids, LONG_MS), []);
      const [again] = await queue.add([tag('a')]);
      assert.equal(again?.id, it?.id);
    },
    'makes one of a purge that comes back and the same that was asked for meanwhile': async (queue) => {
      const ids = idsOf(await queue.add([tag('a'), tag('b')]));
      await queue.claim(ids, LONG_MS);
      await queue.add([tag('a')]);
      await queue.add([tag('a')]);
      await queue.postpone(ids, { ...retry, delayMs: 0, countsAsAttempt: false });
      const pending = await queue.pending(10);
      assert.deepEqual(idsOf(pending), ids);
      assert.deepEqual(
        pending.map((it) => [it.requests, it.attempts]),
        [
          [3, 0],
          [1, 0],
        ],
      );
    },
    'does nothing to a purge that has ended': async (queue) => {
      const ids = idsOf(await queue.add([tag('a')]));
      await queue.claim(ids, LONG_MS);
      await queue.succeed(ids, sent);
      await queue.postpone(ids, retry);
      await queue.fail(ids, 'late');
      assert.deepEqual(await queue.claim(ids, LONG_MS), []);
      assert.deepEqual(
        (await queue.history(10)).map((it) => it.state),
        ['done'],
      );
    },
    'counts what is not done by provider, with the age of the oldest': async (queue) => {
      await queue.add([tag('a'), tag('b'), tag('a', 'other')]);
      const counts = await queue.counts();
      assert.deepEqual(counts.map((it) => [it.provider, it.pending]).sort(), [
        ['edge', 2],
        ['other', 1],
      ]);
      assert.ok(counts.every((it) => it.oldestAgeMs >= 0));
    },
  };
  return Object.entries(cases).map(([title, run]) => ({
    title,
    run: async () => {
      const opened = await open();
      try {
        await run(opened.queue);
      } finally {
        await opened.close();
      }
    },
  }));
}
