import { beforeAll, describe, expect, it } from '@jest/globals';

import { seededRandom } from '../../harness/random.ts';
import { Lottery, normal } from './draw.ts';
import { answerExactly, recallOf } from './exact.ts';
import { walk } from './graph.ts';
import { passes } from './questions.ts';
import { BOOST, LIMIT } from './shape.ts';
import { dot, near, vectorAt } from './vectors.ts';
import { firstChunks, makeWorld, reembed, type World } from './world.ts';

const SHAPE = { seed: 3, chunks: 900, questions: 30 };

describe('Lottery', () => {
  it('draws each place as often as its weight says', () => {
    const random = seededRandom(1);
    const lottery = new Lottery([1, 0, 3]);
    const counts = [0, 0, 0];
    for (let n = 0; n < 4_000; n++) counts[lottery.draw(random)]! += 1;
    expect(counts[1]).toBe(0);
    expect(counts[2]! / counts[0]!).toBeCloseTo(3, 0);
  });
});

describe('near', () => {
  it('strays by the noise: two directions at 1 have a cosine of about 1/√2 with their centre', () => {
    const random = seededRandom(2);
    const centre = Float32Array.from({ length: 384 }, () => normal(random));
    const cosines = Array.from(
      { length: 50 },
      () => dot(near(centre, 1, random), centre) / Math.sqrt(dot(centre, centre)),
    );
    expect(cosines.reduce((sum, it) => sum + it, 0) / 50).toBeCloseTo(Math.SQRT1_2, 1);
  });
});

describe('a world', () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(SHAPE);
  });

  it('is the same for the same shape, and another one for another seed', async () => {
    const again = await makeWorld(SHAPE);
    expect(again.exact).toEqual(world.exact);
    expect(again.ids).toEqual(world.ids);
    expect((await makeWorld({ ...SHAPE, seed: 4 })).exact).not.toEqual(world.exact);
  });

  it('has links from both sides, of the same weight', () => {
    const { starts, targets, weights } = world.graph;
    const links = new Map<string, number>();
    for (let from = 0; from < SHAPE.chunks; from++) {
      for (let at = starts[from]!; at < starts[from + 1]!; at++)
        links.set(`${from} ${targets[at]}`, weights[at]!);
    }
    for (const [key, weight] of links) expect(links.get(key.split(' ').reverse().join(' '))).toBe(weight);
  });

  it('knows the exact answers: those of sorting all that pass', () => {
    for (const [index, question] of world.questions.entries()) {
      const reached =
        question.mode === 'plain' ? new Map<number, number>() : walk(world.graph, question.seeds);
      const best = world.ids
        .map((_, place) => place)
        .filter((it) => passes(world.chunks, question.filter, it))
        .filter((it) => question.mode !== 'within' || reached.has(it))
        .map((place) => {
          const bonus = question.mode === 'boost' ? BOOST * (reached.get(place) ?? 0) : 0;
          return { place, score: dot(question.vector, vectorAt(world.chunks, place)) + bonus };
        })
        .sort((a, b) => b.score - a.score)
        .slice(0, LIMIT);
      const exact = world.exact[index]!;
      expect(exact.threshold).toBe(best.length < LIMIT ? -Infinity : best[LIMIT - 1]?.score);
      const right = best.map((it) => it.place);
      expect(recallOf(world.chunks, world.graph, question, exact, right)).toBe(1);
      const some = recallOf(world.chunks, world.graph, question, exact, right.slice(1));
      expect(some).toBeCloseTo(right.length === 0 ? 1 : 1 - 1 / right.length, 10);
    }
  });

  it('has a beginning, with the links inside of it', async () => {
    const few = await firstChunks(world, 300);
    const { starts, targets } = few.graph;
    expect(starts[300]).toBe(targets.subarray(0, starts[300]).length);
    expect(targets.every((it) => it < 300)).toBe(true);
    const [question] = few.questions;
    expect(answerExactly(few.chunks, few.graph, question!).passing).toBe(few.exact[0]?.passing);
  });

  it('keeps everything but vectors and questions when another model embeds it', async () => {
    const other = await reembed(world, 77);
    expect(other.graph).toBe(world.graph);
    expect(other.chunks.type).toBe(world.chunks.type);
    const same = (place: number) => dot(vectorAt(world.chunks, place), vectorAt(other.chunks, place));
    expect(Math.abs(same(5))).toBeLessThan(0.3);
    expect(dot(vectorAt(other.chunks, 5), vectorAt(other.chunks, 5))).toBeCloseTo(1, 5);
  });
});
