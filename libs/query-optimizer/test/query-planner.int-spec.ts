import { afterEach, describe, expect, it } from '@jest/globals';
import { durations, type Durations, PlanWorld } from './plan-world.js';

/** A planner that knows the world already. */
async function taught(seed: number): Promise<PlanWorld> {
  const teacher = new PlanWorld(seed, { regretBudget: 0.5 });
  await teacher.run(1_500);
  const prior = teacher.planner.model();
  await teacher.planner.close();
  return new PlanWorld(seed + 1, { prior });
}

/** Some plan takes some times as long. */
const slower =
  (factor: number, ...plans: string[]): Durations =>
  (plan, features, query) =>
    durations(plan, features, query) * (plans.includes(plan) ? factor : 1);

describe('QueryPlanner', () => {
  let world: PlanWorld;

  afterEach(() => world.planner.close());

  it('finds the better plan of each query, with nothing to begin with', async () => {
    world = new PlanWorld(1);
    const first = await world.run(200);
    await world.run(1_800);
    const last = await world.run(500);
    expect(first.actualMs).toBeGreaterThan(2 * first.bestMs);
    expect(last.actualMs).toBeLessThan(1.35 * last.bestMs);
    expect(last.actualMs).toBeLessThan(0.65 * last.fallbackMs);
    const { regret, exploration } = world.planner.report();
    expect(regret.blocks.at(-1)?.regretMs).toBeLessThan(regret.blocks.at(5)?.actualMs ?? 0);
    expect(exploration.hour.spentMs).toBeLessThanOrEqual(exploration.hour.allowedMs);
  });

  it('is good from the first query on with a prior, even on a machine that is half as fast', async () => {
    world = await taught(10);
    world.durations = slower(2, 'steady', 'split', 'steep');
    const first = await world.run(300);
    expect(first.actualMs).toBeLessThan(1.5 * first.bestMs);
  });

  it('never runs what is not allowed', async () => {
    world = await taught(20);
    await world.run(300, ['steady', 'steep']);
    expect(world.decisions.filter(({ plan }) => plan === 'split')).toEqual([]);
  });

  it.each([
    ['a plan takes ten times as long', slower(10, 'split')],
    ['the fallback takes a fifth', slower(0.2, 'steady')],
    ['all take eight times as long', slower(8, 'steady', 'split', 'steep')],
  ])('notices that %s, and is as good as before within 300 queries', async (_, changed) => {
    world = await taught(30);
    const before = await world.run(600);
    world.durations = changed;
    await world.run(300);
    const after = await world.run(300);
    const alarms = Object.values(world.planner.report().drift).map((it) => it.alarms);
    expect(Math.max(...alarms)).toBeGreaterThan(0);
    expect(world.planner.report().cache.drops['drift']).toBeGreaterThan(0);
    expect(after.actualMs / after.bestMs).toBeLessThan((before.actualMs / before.bestMs) * 1.15);
  });

  it('learns from what was given up that it takes longer', async () => {
    world = await taught(40);
    world.durations = slower(30, 'split');
    await world.run(300);
    const { predictedMs } = world.planner.decide({
      shape: 'plain',
      buckets: [9],
      features: [0.75, 0.5, 0.25, 0.5],
      allowed: ['steady', 'split'],
      fallback: 'steady',
    });
    // Every run of it was given up at three times the fallback: nobody has ever seen its 150 ms.
    expect(predictedMs.split).toBeGreaterThan(0.8 * predictedMs.steady!);
    const taken = world.decisions.filter(({ plan, reason }) => plan === 'split' && reason === 'gain');
    expect(taken.length).toBeLessThan(20);
  });

  it('never takes a model into use that is worse', async () => {
    const program = new URL('./bad-training.mjs', import.meta.url);
    world = new PlanWorld(50, { program, regretBudget: 0.5 });
    await world.run(1_000);
    const { rounds, modelVersion } = world.planner.report().training;
    expect(rounds).toMatchObject({ promoted: 0, failed: 0 });
    expect(rounds.rejected).toBeGreaterThan(3);
    expect(modelVersion).toBe(0);
  });

  it('goes on when its thread dies, and starts another one for the next training', async () => {
    world = new PlanWorld(60, { program: new URL('./dying-training.mjs', import.meta.url) });
    await world.run(450);
    const { rounds, latest } = world.planner.report().training;
    expect(rounds).toEqual({ promoted: 0, rejected: 0, failed: 2, outdated: 0 });
    expect(latest[0]).toMatchObject({ outcome: 'failed', why: expect.stringContaining('thread') });
    expect(world.decisions.slice(-50).every(({ modelVersion }) => modelVersion === 0)).toBe(true);
  });

  it('leaves the event loop to others while it trains', async () => {
    world = new PlanWorld(70, { retrainEvery: 3_000, keepSamples: 5_000 });
    await world.run(2_999);
    const last = world.run(1);
    let turns = 0;
    while (world.planner.report().training.isTraining) {
      turns++;
      await new Promise(setImmediate);
    }
    await last;
    expect(world.planner.report().training.rounds.promoted).toBe(1);
    expect(turns).toBeGreaterThan(100);
  });
});
