import { afterEach, describe, expect, it } from '@jest/globals';
import { PlanWorld } from './plan-world.js';

describe('QueryPlanner', () => {
  let world: PlanWorld;

  afterEach(() => world.planner.close());

  it('finds the better plan of each query', async () => {
    world = new PlanWorld(1);
    const first = await world.run(200);
    await world.run(1_800);
    const last = await world.run(500);
    expect(first.actualMs).toBeGreaterThan(2 * first.bestMs);
    expect(last.actualMs).toBeLessThan(1.35 * last.bestMs);
    expect(last.actualMs).toBeLessThan(0.65 * last.fallbackMs);
  });
});
