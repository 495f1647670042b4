import { expect, it } from '@jest/globals';
import {
  defineTask,
  InvalidPayloadError,
  InvalidTaskDefinitionError,
  InvalidTaskIdError,
  InvalidTaskQueueOptionsError,
  retryAfter,
  TaskCancelledError,
  TaskFailedError,
} from '../../src/index.js';
import { parseTaskQueueOptions } from '../../src/task-queue.options.js';
import { type ProbeApp, WAIT } from '../probe-app.js';
import { batched, single, unique } from '../probe-tasks.js';

const LIMIT = 1_048_576;
const unreadable = {
  get message(): string {
    throw new Error('not for you');
  },
  toString: () => {
    throw new Error('not for you either');
  },
};

/** What callers and handlers get wrong, in every mode: a typed error, and nothing is lost or stuck. */
export function describeBadInput(main: () => ProbeApp): void {
  it('names every field of a payload that does not fit, and no value', async () => {
    const wrong = { key: 7, note: ['secret'], more: 1 } as never;
    const error = await main()
      .queue.submit(single, wrong)
      .catch((it: unknown) => it);
    expect(error).toBeInstanceOf(InvalidPayloadError);
    const { problems, code } = error as InvalidPayloadError;
    expect(code).toBe('TASK_QUEUE_INVALID_PAYLOAD');
    expect(problems).toHaveLength(3);
    expect(problems.join()).toMatch(/key: .*note: .*more/);
    expect(problems.join()).not.toContain('secret');
  });

  it('takes a payload of the most bytes that are allowed, and none of one more', async () => {
    const { queue } = main();
    const left = LIMIT - Buffer.byteLength(JSON.stringify({ key: '', note: 'ü' }));
    const largest = { key: 'ü'.repeat(left >> 1) + '.'.repeat(left & 1), note: 'ü' };
    const { id } = await queue.submit(single, largest, { id: 'largest' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('ü');
    const more = queue.submitBatch(single, [
      { payload: { key: 'beside' }, id: 'beside' },
      { ...largest, key: `${largest.key}.` },
    ]);
    await expect(more).rejects.toThrow(InvalidPayloadError);
    const advice = `has ${LIMIT + 1} bytes as JSON, \`maxPayloadBytes\` allows ${LIMIT}: keep the content elsewhere and submit a reference to it`;
    await expect(more).rejects.toThrow(advice);
    expect(await queue.status(single, 'beside')).toBeNull();
  });

  it.each([
    ['a cycle', cycle()],
    ['a bigint', { key: 1n }],
    ['nothing', undefined],
    ['a function', () => 0],
  ])('refuses %s as a payload', async (_kind, payload) => {
    await expect(main().queue.submit(single, payload as never)).rejects.toThrow(InvalidPayloadError);
  });

  it('refuses a colon where it would be part of a key, and takes it where it is text', async () => {
    const { queue } = main();
    for (const ask of [
      () => queue.status(single, 'a:b'),
      () => queue.cancel(single, 'a:b'),
      () => queue.explain(single, 'a:b'),
    ]) {
      await expect(ask()).rejects.toThrow(InvalidTaskIdError);
    }
    expect(() => defineTask({ name: 'a:b', payload: single.payload })).toThrow(InvalidTaskDefinitionError);
    const options = { backend: { type: 'inline' }, tasks: [], prefix: 'a:b' } as const;
    expect(() => parseTaskQueueOptions(options)).toThrow(InvalidTaskQueueOptionsError);
    const { id } = await queue.submit(unique, { key: 'a:b:{c}' }, { idempotencyKey: 'x:y' });
    expect(await queue.waitFor(unique, id, WAIT)).toBe('a:b:{c}');
  });

  it.each([
    ['attempts', { attempts: 1.5 }],
    ['attempts', { attempts: 0 }],
    ['attempts', { attempts: -1 }],
    ['a timeout', { timeoutMs: 0.5 }],
    ['a delay', { backoff: { type: 'fixed', delayMs: -1 } }],
    ['a delay', { backoff: { type: 'fixed', delayMs: 1.5 } }],
    ['a jitter', { backoff: { type: 'fixed', delayMs: 1, jitter: 1.1 } }],
    ['a batch', { batch: { size: 2.5, maxWaitMs: 1 } }],
    ['a rate', { rateLimit: { ratePerSecond: -1 } }],
  ] as const)('refuses to define %s that makes no sense: %j', (_what, wrong) => {
    const input = { name: 'bad.numbers', payload: single.payload, ...wrong };
    expect(() => defineTask(input as never)).toThrow(InvalidTaskDefinitionError);
  });

  it('takes fractions of milliseconds wherever it takes a time', async () => {
    const { queue, probe } = main();
    const { id } = await queue.submit(single, { key: 'fraction', note: 'ran' }, { delayMs: 1.7 });
    expect(await queue.waitFor(single, id, WAIT)).toBe('ran');
    let calls = 0;
    probe.singles.set('comes back', () => Promise.resolve(++calls === 1 ? retryAfter(0.3) : calls));
    const again = await queue.submit(single, { key: 'comes back' });
    expect(await queue.waitFor(single, again.id, WAIT)).toBe(2);
  });

  it.each([-1, NaN, Infinity])(
    'fails or delays, and never loses, a task that asks to come back in %d',
    async (ms) => {
      const { queue, probe } = main();
      let calls = 0;
      const key = `comes back in ${ms}`;
      probe.singles.set(key, () => Promise.resolve(++calls === 1 ? retryAfter(ms) : calls));
      const { id } = await queue.submit(single, { key });
      expect(await queue.waitFor(single, id, WAIT)).toBe(2);
    },
  );

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a symbol', Symbol('thrown')],
    ['an object without a prototype', Object.create(null)],
    ['an object that cannot be read', unreadable],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['an error with a message of another kind', Object.assign(new Error(), { message: { not: 'text' } })],
    ['an error with lone surrogates and U+0000', new Error('\uD800 \0')],
    ['an endless message', new Error('x'.repeat(2_000_000))],
  ])('fails a task whose handler throws %s', async (kind, thrown: unknown) => {
    const { queue, probe } = main();
    probe.singles.set(kind, () => {
      throw thrown;
    });
    const { id } = await queue.submit(single, { key: kind });
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow(TaskFailedError);
    expect(probe.callsOf(kind)).toBe(3);
  });

  it.each([
    ['too many results', (items) => [...items, 0].map(ok), 'answered 2 results for 1 items'],
    [
      'a list with holes',
      (items) => new Array<unknown>(items.length),
      'something that is no result for an item',
    ],
    ['no list', () => ok(1), 'no list of results'],
    ['a failure that is text', (items) => items.map(() => ({ ok: false, error: 'no error' })), 'no error'],
    ['a failure without an error', (items) => items.map(() => ({ ok: false })), 'undefined'],
  ] satisfies [string, (items: readonly unknown[]) => unknown, string][])(
    'fails a task that a batch handler answers with %s',
    async (_kind, answer, message) => {
      const { queue, probe } = main();
      probe.onBatch = (items) => Promise.resolve(answer(items) as never);
      const [task] = await queue.submitBatch(batched, [{ number: 1 }]);
      await expect(queue.waitFor(batched, task!.id, WAIT)).rejects.toThrow(message);
      expect(await queue.status(batched, task!.id)).toMatchObject({ state: 'failed', attempts: 3 });
    },
  );

  it('cancels for any reason that is text', async () => {
    const { queue } = main();
    const { id } = await queue.submit(single, { key: 'odd reason' }, { delayMs: 100_000 });
    const reason = `\0 \uD800 "' \\ ${'x'.repeat(5_000)}`;
    expect(await queue.cancel(single, id, { reason })).toBe('cancelled');
    await expect(queue.waitFor(single, id, WAIT)).rejects.toThrow(TaskCancelledError);
  });
}

function ok(value: unknown) {
  return { ok: true, value };
}

function cycle(): unknown {
  const it: Record<string, unknown> = { key: 'cycle' };
  it['note'] = it;
  return it;
}
