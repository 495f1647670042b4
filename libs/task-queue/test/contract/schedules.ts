import { expect, it } from '@jest/globals';
import { InvalidPayloadError, InvalidScheduleError, type MissedTicks } from '../../src/index.js';
import { TaskStore } from '../../src/queue/task-store.js';
import { Scheduler } from '../../src/schedule/scheduler.js';
import { type ProbeApp, until } from '../probe-app.js';
import { single } from '../probe-tasks.js';
import { type WorkerContext } from './workers.js';

const HOUR_MS = 3_600_000;

export function describeSchedules(context: () => WorkerContext): void {
  it('runs every tick once over three processes', async () => {
    const { start } = context();
    const options = { prefix: 'ticking', worker: { concurrency: 2 }, tasks: [single] };
    const apps = await Promise.all([start(options), start(options), start(options)]);
    const ids: string[] = [];
    for (const { probe } of apps) {
      probe.singles.set('tick', ({ id }) => Promise.resolve(void ids.push(id)));
    }
    const { queue } = apps[0];
    const { nextAt } = await queue.schedule('each-second', single, { key: 'tick' }, { cron: '* * * * * *' });
    const first = [0, 1, 2, 3].map((index) => `each-second@${nextAt.getTime() + index * 1_000}`);
    // A later tick may be quicker than one before it.
    await until(() => first.every((id) => ids.includes(id)));
    expect(await queue.unschedule('each-second')).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort().slice(0, 4)).toEqual(first);
    expect(await queue.unschedule('each-second')).toBe(false);
  });

  it.each([
    ['skip', undefined, 0],
    ['once', undefined, 1],
    ['catch-up', undefined, 5],
    ['catch-up', 2, 2],
  ] as const)('after five missed ticks with %s (limit %s) runs %i', async (missed, catchUpLimit, runs) => {
    const { start } = context();
    const { app, queue } = await start({ prefix: `missed-${missed}-${catchUpLimit ?? 'all'}` });
    const ticks = await missTicks({ app, queue }, missed, catchUpLimit);
    const scheduler = app.get(Scheduler);
    await Promise.all([scheduler.run(), scheduler.run()]);
    expect(await queue.stats()).toMatchObject({ pending: runs });
    const latest = ticks.slice(ticks.length - runs);
    for (const tick of latest) expect(await queue.status(single, `hourly@${tick}`)).not.toBeNull();
    const [schedule] = await queue.schedules();
    expect(schedule!.nextAt.getTime()).toBe(ticks[4]! + HOUR_MS);
  });

  it('keeps its next tick when the same schedule is put again, and not when its time changes', async () => {
    const { start } = context();
    const { app, queue } = await start({ prefix: 'put-again' });
    const ticks = await missTicks({ app, queue }, 'once');
    const cron = (await queue.schedules())[0]!.cron;
    const again = await queue.schedule('hourly', single, { key: 'new' }, { cron, missed: 'skip' });
    expect(again).toMatchObject({ missed: 'skip', nextAt: new Date(ticks[0]!) });
    const moved = await queue.schedule('hourly', single, { key: 'new' }, { cron, timeZone: 'Asia/Kolkata' });
    expect(moved.nextAt.getTime()).toBeGreaterThan(Date.now());
    expect(await queue.schedules()).toEqual([moved]);
  });

  it.each([
    ['a cron that never fires', 'n', { cron: '0 0 30 2 *' }],
    ['a cron that is none', 'n', { cron: 'now and then' }],
    ['a field too many', 'n', { cron: '* * * * * * *' }],
    ['an unknown time zone', 'n', { cron: '0 0 * * *', timeZone: 'Mars/Base' }],
    ['an unknown policy', 'n', { cron: '0 0 * * *', missed: 'maybe' as MissedTicks }],
    ['a limit below 1', 'n', { cron: '0 0 * * *', catchUpLimit: 0.5 }],
    ['a name with a colon', 'a:b', { cron: '0 0 * * *' }],
  ])('refuses %s', async (_problem, name, options) => {
    const { queue } = await context().start({ prefix: 'refused' });
    await expect(queue.schedule(name, single, { key: 'x' }, options)).rejects.toThrow(InvalidScheduleError);
    await expect(queue.schedule(name, single, { key: '' }, options)).rejects.toThrow(InvalidPayloadError);
    expect(await queue.schedules()).toEqual([]);
  });
}

/** A schedule of every hour whose last five ticks, the latest half an hour ago, were missed. */
async function missTicks(
  { app, queue }: Pick<ProbeApp, 'app' | 'queue'>,
  missed: MissedTicks,
  catchUpLimit?: number,
): Promise<number[]> {
  const halfAnHourAgo = new Date(Date.now() - HOUR_MS / 2);
  const cron = `${halfAnHourAgo.getUTCMinutes()} * * * *`;
  const limit = catchUpLimit === undefined ? {} : { catchUpLimit };
  await queue.schedule('hourly', single, { key: 'hour' }, { cron, missed, ...limit });
  const store = app.get(TaskStore);
  const text = (await store.schedules()).get('hourly')!;
  const last = halfAnHourAgo.setUTCSeconds(0, 0);
  const ticks = [4, 3, 2, 1, 0].map((hours) => last - hours * HOUR_MS);
  await store.swapSchedule('hourly', text, JSON.stringify({ ...JSON.parse(text), nextAt: ticks[0] }));
  return ticks;
}
