import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  type BatchItem,
  defineTask,
  InvalidPayloadError,
  PermanentTaskError,
  RateLimiter,
  type StandaloneTaskQueue,
  type TaskContext,
  TaskHandler,
  TaskQueue,
  TaskQueueModule,
} from '../index.js';
import { SubmissionExpectationError, TaskNotWaitingError, TaskTestKit } from './index.js';

const MINUTE = 60_000;
const welcome = defineTask({
  name: 'mail.welcome',
  payload: z.strictObject({ to: z.string(), tags: z.array(z.string()).default([]) }),
  attempts: 3,
  backoff: { type: 'fixed', delayMs: MINUTE, jitter: 0 },
  timeoutMs: 10 * MINUTE,
});
const index = defineTask({
  name: 'search.index',
  payload: z.strictObject({ id: z.int() }),
  batch: { size: 3, maxWaitMs: MINUTE },
});
const limited = defineTask({
  name: 'api.call',
  payload: z.strictObject({ id: z.int() }),
  rateLimit: { ratePerSecond: 1, burst: 2 },
});
const unique = defineTask({
  name: 'report.daily',
  payload: z.strictObject({ day: z.string() }),
  dedupe: { key: ({ day }) => day, windowMs: MINUTE },
});

describe('the testing kit', () => {
  let queue: StandaloneTaskQueue | undefined;
  let kit: TaskTestKit;
  let mails: string[];
  let batches: number[][];
  let onMail: (to: string, ctx: TaskContext) => Promise<unknown>;

  const open = async (mode: 'inline' | 'manual' = 'manual') => {
    mails = [];
    batches = [];
    onMail = (to) => Promise.resolve(`sent to ${to}`);
    kit = new TaskTestKit({ mode, now: new Date('2026-03-01T10:00:00Z') });
    queue = await kit.createTaskQueue({
      tasks: [
        {
          definition: welcome,
          handler: async ({ to }, ctx) => {
            mails.push(to);
            return onMail(to, ctx);
          },
        },
        {
          definition: index,
          handler: {
            executeBatch: (items: readonly BatchItem<typeof index>[]) => {
              batches.push(items.map((it) => it.payload.id));
              return Promise.resolve(items.map(() => ({ ok: true as const, value: null })));
            },
          },
        },
        { definition: limited, handler: ({ id }) => Promise.resolve(id) },
        { definition: unique },
      ],
    });
    return queue;
  };

  afterEach(() => queue?.close());

  describe('in manual mode', () => {
    it('holds what is submitted until the test performs it', async () => {
      const tasks = await open();
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      expect(await tasks.status(welcome, id)).toMatchObject({ state: 'waiting' });
      expect(mails).toEqual([]);
      expect(await kit.perform(id)).toMatchObject({ state: 'completed', result: 'sent to ann' });
      expect(await tasks.result(welcome, id)).toBe('sent to ann');
      await expect(kit.perform(id)).rejects.toThrow('it is completed');
    });

    it('performs the first of a definition', async () => {
      const tasks = await open();
      await tasks.submitBatch(welcome, [{ to: 'ann' }, { to: 'bob' }]);
      await kit.perform(welcome);
      expect(mails).toEqual(['ann']);
      await expect(kit.perform(limited)).rejects.toThrow(TaskNotWaitingError);
    });

    it('tells an attempt that failed, and tries again when the backoff has passed', async () => {
      const tasks = await open();
      onMail = (_to, { attempt }) =>
        attempt < 3 ? Promise.reject(new Error('busy')) : Promise.resolve('late');
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      expect(await kit.perform(id)).toMatchObject({ state: 'delayed', attempts: 1, error: 'busy' });
      await expect(kit.perform(id)).rejects.toThrow('delayed until 2026-03-01T10:01:00.000Z');
      await kit.advance(MINUTE - 1);
      await expect(kit.perform(id)).rejects.toThrow('advance the clock');
      await kit.advance(1);
      expect(await kit.perform(id)).toMatchObject({ state: 'delayed', attempts: 2 });
      const [ended] = await kit.drain({ includeDelayed: true });
      expect(ended).toMatchObject({ state: 'completed', attempts: 3, result: 'late' });
      expect(kit.now).toEqual(new Date('2026-03-01T10:02:00Z'));
    });

    it('fails for good what fails for good', async () => {
      const tasks = await open();
      onMail = () => Promise.reject(new PermanentTaskError('no such address'));
      await tasks.submit(welcome, { to: 'ann' });
      expect(await kit.perform(welcome)).toMatchObject({ state: 'failed', error: 'no such address' });
    });

    it('times out by the clock of the test', async () => {
      const tasks = await open();
      onMail = () => new Promise(() => undefined);
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      const performed = kit.perform(id);
      await kit.advance(10 * MINUTE);
      expect(await performed).toMatchObject({ state: 'delayed' });
      expect((await performed).error).toContain('600000 ms');
    });

    it('drains what tasks submit, and what they wait for', async () => {
      const tasks = await open();
      onMail = async (to) => {
        if (to !== 'ann') return to;
        const { id } = await tasks.submit(welcome, { to: 'bob' });
        return tasks.waitFor(welcome, id, { timeoutMs: 30_000 });
      };
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      expect(await kit.drain()).toHaveLength(2);
      expect(await tasks.result(welcome, id)).toBe('bob');
    });

    it('drains in full batches, without waiting for more', async () => {
      const tasks = await open();
      await tasks.submitBatch(
        index,
        [1, 2, 3, 4, 5].map((id) => ({ id })),
      );
      await kit.drain();
      expect(batches).toEqual([
        [1, 2, 3],
        [4, 5],
      ]);
    });

    it('holds delays back until the clock has come there', async () => {
      const tasks = await open();
      await tasks.submit(welcome, { to: 'ann' }, { delayMs: MINUTE });
      await tasks.submit(welcome, { to: 'bob' }, { runAt: new Date('2026-03-01T10:02:00Z') });
      expect(await kit.drain()).toEqual([]);
      await kit.advance(MINUTE);
      await kit.drain();
      expect(mails).toEqual(['ann']);
      await kit.drain({ includeDelayed: true });
      expect(mails).toEqual(['ann', 'bob']);
      expect(kit.submitted(welcome).map((it) => it.delayMs)).toEqual([MINUTE, 2 * MINUTE]);
    });

    it('keeps rate limits by the clock', async () => {
      const tasks = await open();
      await tasks.submitBatch(
        limited,
        [1, 2, 3, 4].map((id) => ({ id })),
      );
      const first = await kit.drain();
      expect(first.map((it) => it.state)).toEqual(['completed', 'completed', 'delayed', 'delayed']);
      await kit.advance(1_000);
      expect((await tasks.stats()).completed).toBe(3);
    });

    it('keeps windows of duplicates by the clock, and needs no handler to submit', async () => {
      const tasks = await open();
      const first = await tasks.submit(unique, { day: 'monday' });
      expect(await tasks.submit(unique, { day: 'monday' })).toEqual(first);
      await kit.advance(MINUTE);
      expect(await tasks.submit(unique, { day: 'monday' })).not.toEqual(first);
      kit.expectSubmitted(unique, { day: 'monday' }, { times: 2 });
    });

    it('submits by schedules at every tick', async () => {
      const tasks = await open();
      await tasks.schedule('hourly', welcome, { to: 'all' }, { cron: '0 * * * *' });
      await kit.advance(59 * MINUTE);
      kit.expectNotSubmitted(welcome);
      await kit.advance(121 * MINUTE);
      expect(kit.expectSubmitted(welcome, { to: 'all' }, { times: 3 })[0]?.id).toBe(
        `hourly@${Date.parse('2026-03-01T11:00:00Z')}`,
      );
    });

    it('runs nothing while the queue is paused, and cancels what is held', async () => {
      const tasks = await open();
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      expect(await tasks.cancel(welcome, id)).toBe('cancelled');
      await tasks.pause();
      await tasks.submit(welcome, { to: 'bob' });
      await kit.drain();
      expect(mails).toEqual([]);
      await tasks.resume();
      await kit.drain();
      expect(mails).toEqual(['bob']);
    });
  });

  describe('in inline mode', () => {
    it('runs before submit returns', async () => {
      const tasks = await open('inline');
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      expect(await tasks.result(welcome, id)).toBe('sent to ann');
      await tasks.submitBatch(
        index,
        [1, 2, 3, 4].map((it) => ({ id: it })),
      );
      expect(batches).toEqual([[1, 2, 3], [4]]);
    });

    it('does not wait for the clock', async () => {
      const tasks = await open('inline');
      onMail = (_to, { attempt }) =>
        attempt === 1 ? Promise.reject(new Error('busy')) : Promise.resolve('ok');
      const { id } = await tasks.submit(welcome, { to: 'ann' });
      expect(await tasks.status(welcome, id)).toMatchObject({ state: 'delayed', attempts: 1 });
      await kit.advance(MINUTE);
      expect(await tasks.result(welcome, id)).toBe('ok');
    });
  });

  describe('of what was submitted', () => {
    it('finds what matches in part', async () => {
      const tasks = await open();
      await tasks.submit(welcome, { to: 'ann', tags: ['new'] }, { priority: 'HIGH' });
      await tasks.submit(welcome, { to: 'bob' });
      expect(kit.expectSubmitted(welcome, { to: 'ann' })).toMatchObject([
        { payload: { to: 'ann', tags: ['new'] }, priority: 'HIGH', status: { state: 'waiting' } },
      ]);
      kit.expectSubmitted(welcome, { to: expect.stringMatching(/^b/) }, { times: 1 });
      kit.expectSubmitted(welcome, { tags: ['new'] }, { times: 1 });
      kit.expectSubmitted(welcome, undefined, { times: 2 });
      kit.expectNotSubmitted(welcome, { tags: ['new', 'newer'] });
      kit.expectNotSubmitted(index);
      expect(kit.submitted().map((it) => it.task)).toEqual(['mail.welcome', 'mail.welcome']);
    });

    it('shows what was submitted instead', async () => {
      const tasks = await open();
      expect(() => kit.expectSubmitted(welcome)).toThrow(/at least once, but it was 0 times\.\nNothing was/);
      await tasks.submit(welcome, { to: 'ann' });
      expect(() => kit.expectSubmitted(welcome, { to: 'bob' })).toThrow(SubmissionExpectationError);
      expect(() => kit.expectSubmitted(welcome, { to: 'bob' })).toThrow(
        'Expected mail.welcome to be submitted at least once with {"to":"bob"}, but it was 0 times.\n' +
          'It was submitted with:\n- mail.welcome {"to":"ann"} (waiting)',
      );
      expect(() => kit.expectSubmitted(index)).toThrow('Submitted was only:\n- mail.welcome');
      expect(() => kit.expectNotSubmitted(welcome)).toThrow(/0 times, but it was 1 times/);
      await expect(kit.perform('unknown')).rejects.toThrow('it was not submitted\nIt was submitted with:');
    });

    it('refuses what the engine refuses', async () => {
      const tasks = await open();
      await expect(tasks.submit(welcome, { to: 1 as never })).rejects.toThrow(InvalidPayloadError);
      kit.expectNotSubmitted(welcome);
    });

    it('forgets what has ended', async () => {
      const tasks = await open();
      await tasks.submitBatch(welcome, [{ to: 'ann' }, { to: 'bob' }]);
      await kit.perform(welcome);
      kit.forget();
      kit.expectSubmitted(welcome, { to: 'bob' }, { times: 1 });
      kit.expectNotSubmitted(welcome, { to: 'ann' });
    });
  });

  it('goes under an application of Nest in one line', async () => {
    @TaskHandler(limited)
    @Injectable()
    class CallHandler {
      execute({ id }: { id: number }) {
        return Promise.resolve(id * 2);
      }
    }

    // As it runs in production: nobody listens at this address.
    @Module({
      imports: [
        TaskQueueModule.forRoot({
          backend: { type: 'redis', url: 'redis://127.0.0.1:1' },
          tasks: [limited],
          worker: true,
        }),
      ],
      providers: [CallHandler],
    })
    class AppModule {}

    kit = new TaskTestKit();
    const app = await kit.override(Test.createTestingModule({ imports: [AppModule] })).compile();
    await app.init();
    const tasks = app.get(TaskQueue);
    const { id } = await tasks.submit(limited, { id: 4 });
    kit.expectSubmitted(limited, { id: 4 });
    expect(await kit.perform(id)).toMatchObject({ state: 'completed', result: 8 });
    const limiter = app.get(RateLimiter);
    const slow = { ratePerSecond: 0.001, burst: 1 };
    await limiter.acquire('slow', slow);
    const second = limiter.acquire('slow', slow);
    await kit.advance(1_000_000);
    expect((await second).grantedAtMs).toBe(kit.now.getTime());
    await app.close();
  });
});
