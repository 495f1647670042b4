import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type PurgeKind, type PurgeKindLimits, type PurgeLimits } from '../providers/purge-provider.js';
import { type Invalidation } from './invalidation-queue.js';
import { matchesWildcard } from './collapse-paths.js';
import { type PlannedPurge, planPurges } from './purge-plan.js';

const rate = { bucket: 'purge', ratePerSecond: 1, burst: 1, cost: 'request' } as const;
const kind = (perRequest: number, escalateAbove: number, soft = false): PurgeKindLimits => ({
  ...{ perRequest, escalateAbove, soft, rate },
});
const ALL: PurgeLimits = { path: kind(3, 8), wildcard: kind(2, 3), tag: kind(2, 5), everything: kind(1, 1) };
const SOFT: PurgeLimits = { path: kind(3, 8, true), tag: kind(2, 5, true), everything: kind(1, 1) };

function due(...targets: (readonly [PurgeKind, string, soft?: boolean])[]): Invalidation[] {
  return targets.map(([its, value, soft = false], index) => ({
    ...{
      id: String(index),
      provider: 'p',
      target: { kind: its, value },
      soft,
      state: 'pending',
      requests: 1,
    },
    ...{ attempts: 0, requestedAt: new Date(0), notBefore: new Date(0), endedAt: null, sentAs: null },
    ...{ verified: null, error: null, alone: false },
  }));
}
const shown = (plan: readonly PlannedPurge[]) =>
  plan.map((it) => [it.kind, ...it.values, ...(it.soft ? ['soft'] : [])]);
const paths = (count: number, folder = '') =>
  Array.from({ length: count }, (_, index) => ['path', `${folder}/${index}`] as const);

describe('planPurges', () => {
  it('sends tags before wildcards before paths, as many in a request as fit', () => {
    const plan = planPurges(
      due(...paths(4, '/a'), ['wildcard', '/w/*'], ['tag', 'x'], ['tag', 'y'], ['tag', 'z']),
      ALL,
    );
    expect(shown(plan)).toEqual([
      ['tag', 'x', 'y'],
      ['tag', 'z'],
      ['wildcard', '/w/*'],
      ['path', '/a/0', '/a/1', '/a/2'],
      ['path', '/a/3'],
    ]);
  });

  it('sends everything alone', () => {
    const plan = planPurges(due(['path', '/a'], ['everything', ''], ['tag', 'x', true]), ALL);
    expect(shown(plan)).toEqual([['everything']]);
    expect(plan[0]?.covers).toHaveLength(3);
  });

  it('leaves out paths that a wildcard has', () => {
    expect(shown(planPurges(due(['path', '/w/a'], ['wildcard', '/w/*'], ['path', '/x']), ALL))).toEqual([
      ['wildcard', '/w/*'],
      ['path', '/x'],
    ]);
  });

  it('makes the deepest full folders a wildcard when there are too many paths', () => {
    const plan = planPurges(due(...paths(6, '/a/deep'), ...paths(3, '/a'), ['path', '/b']), ALL);
    expect(shown(plan)).toEqual([
      ['wildcard', '/a/deep/*'],
      ['path', '/a/0', '/a/1', '/a/2'],
      ['path', '/b'],
    ]);
  });

  it.each([
    ['too many paths without a common folder', due(...paths(9)), ALL],
    ['too many tags', due(...'abcdef'.split('').map((it) => ['tag', it] as const)), ALL],
    ['a wildcard that the provider does not know', due(['wildcard', '/a/*']), SOFT],
  ])('purges everything for %s', (_, its, limits) => {
    expect(shown(planPurges(its, limits))).toEqual([['everything']]);
  });

  it('marks as stale only where it was asked for and the provider can', () => {
    expect(shown(planPurges(due(['tag', 'a', true], ['tag', 'b']), SOFT))).toEqual([
      ['tag', 'b'],
      ['tag', 'a', 'soft'],
    ]);
    expect(shown(planPurges(due(['tag', 'a', true]), ALL))).toEqual([['tag', 'a']]);
    expect(shown(planPurges(due(['everything', '', true]), SOFT))).toEqual([['everything']]);
  });

  it('sends alone what was refused with others', () => {
    const [a, b, c] = due(['path', '/a'], ['path', '/b'], ['path', '/c']);
    const plan = planPurges([{ ...a!, alone: true }, b!, { ...c!, alone: true }], ALL);
    expect(shown(plan)).toEqual([
      ['path', '/b'],
      ['path', '/a'],
      ['path', '/c'],
    ]);
  });

  const target = fc.oneof(
    fc.tuple(
      fc.constant<PurgeKind>('path'),
      fc
        .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
        .map((it) => `/${it.join('/')}`),
    ),
    fc.tuple(fc.constant<PurgeKind>('wildcard'), fc.constantFrom('/a/*', '/a/b/*', '/c/*')),
    fc.tuple(fc.constant<PurgeKind>('tag'), fc.constantFrom('x', 'y', 'z')),
  );
  it('covers every purge once, with something at least as wide, within the limits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(target, fc.boolean()), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(ALL, SOFT),
        (targets, limits) => {
          const its = due(...targets.map(([[k, value], soft]) => [k, value, soft] as const));
          const plan = planPurges(its, limits);
          const byId = new Map(its.map((it) => [it.id, it]));
          expect(plan.flatMap((it) => it.covers.map(({ id }) => id)).sort()).toEqual([...byId.keys()].sort());
          for (const request of plan) {
            expect(limits[request.kind]).toBeDefined();
            expect(request.values.length).toBeLessThanOrEqual(limits[request.kind]?.perRequest ?? 0);
            for (const { id, value } of request.covers) {
              const { target: asked, soft } = byId.get(id)!;
              if (request.soft) expect(soft).toBe(true);
              const isCovered =
                request.kind === 'everything' ||
                (request.values.includes(value) &&
                  (value === asked.value ||
                    (request.kind === 'wildcard' &&
                      asked.kind === 'path' &&
                      matchesWildcard(asked.value, value))));
              expect(isCovered).toBe(true);
            }
          }
        },
      ),
    );
  });
});
