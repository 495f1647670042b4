import { type PurgeKind, type PurgeLimits, type PurgeRequest } from '../providers/purge-provider.js';
import { type Invalidation } from './invalidation-queue.js';
import { collapsePaths, matchesWildcard } from './collapse-paths.js';

/** A request to a provider, and the purges that are done when it is. */
export interface PlannedPurge extends PurgeRequest {
  readonly covers: readonly Covered[];
}

/** A purge and the value by which the request covers it. */
export interface Covered {
  readonly id: string;
  readonly value: string;
}

interface Draft {
  /** By value of the request; everything has the one value `''`. */
  readonly values: Map<string, string[]>;
  readonly kind: PurgeKind;
}

/**
 * Few requests that purge at least what is due: everything alone when it is among them; tags before wildcards before
 * paths; a kind that the provider does not know, or has too many of, as the next wider one. What must be removed covers
 * what may only be marked stale.
 *
 * @param due oldest first
 */
export function planPurges(due: readonly Invalidation[], limits: PurgeLimits): PlannedPurge[] {
  const single = due.filter((it) => it.alone);
  const alone = single.flatMap((it) => planAlike([it], limits, isSoft(it, limits)));
  const [hard, soft] = partition(
    due.filter((it) => !it.alone),
    (it) => !isSoft(it, limits),
  );
  const planned = planAlike(hard, limits, false);
  if (planned.some((it) => it.kind === 'everything')) return [coverAll(due, false)];
  return [...planned, ...planAlike(soft, limits, true), ...alone];
}

/** Whether it is sent as soft: asked for so, and the provider can. */
function isSoft({ soft, target }: Invalidation, limits: PurgeLimits): boolean {
  return soft && limits[target.kind]?.soft === true;
}

function planAlike(due: readonly Invalidation[], limits: PurgeLimits, soft: boolean): PlannedPurge[] {
  if (due.length === 0) return [];
  const drafts = escalate(due, limits, soft);
  if (drafts === 'everything') return [coverAll(due, soft && limits.everything.soft)];
  return drafts.flatMap(({ kind, values }) => {
    const perRequest = limits[kind]?.perRequest ?? 1;
    return chunks([...values], perRequest).map((chunk) => ({
      kind,
      soft,
      values: chunk.map(([value]) => value),
      covers: chunk.flatMap(([value, ids]) => ids.map((id) => ({ id, value }))),
    }));
  });
}

/** A kind that is missing in the limits, or there only for hard purges, goes to the next wider one. */
function escalate(
  due: readonly Invalidation[],
  limits: PurgeLimits,
  soft: boolean,
): readonly Draft[] | 'everything' {
  if (due.some(({ target }) => target.kind === 'everything')) return 'everything';
  const takes = (kind: PurgeKind, count: number) => {
    const its = limits[kind];
    return its !== undefined && count <= its.escalateAbove && (!soft || its.soft);
  };
  const tags = valuesOf(due, 'tag');
  if (tags.size > 0 && !takes('tag', tags.size)) return 'everything';

  const wildcards = valuesOf(due, 'wildcard');
  const paths = valuesOf(due, 'path');
  for (const [path, ids] of paths) {
    const wider = [...wildcards.keys()].find((it) => matchesWildcard(path, it));
    if (wider === undefined) continue;
    wildcards.get(wider)?.push(...ids);
    paths.delete(path);
  }
  if (paths.size > 0 && !takes('path', paths.size)) {
    collapsePaths(paths, wildcards, limits.path?.escalateAbove ?? 0);
    if (paths.size > 0 && !takes('path', paths.size)) return 'everything';
  }
  if (wildcards.size > 0 && !takes('wildcard', wildcards.size)) return 'everything';
  const drafts: Draft[] = [
    { kind: 'tag', values: tags },
    { kind: 'wildcard', values: wildcards },
    { kind: 'path', values: paths },
  ];
  return drafts.filter((it) => it.values.size > 0);
}

function valuesOf(due: readonly Invalidation[], kind: PurgeKind): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const { id, target } of due) {
    if (target.kind !== kind) continue;
    const ids = values.get(target.value);
    if (ids) ids.push(id);
    else values.set(target.value, [id]);
  }
  return values;
}

function coverAll(due: readonly Invalidation[], soft: boolean): PlannedPurge {
  return { kind: 'everything', values: [], soft, covers: due.map(({ id }) => ({ id, value: '' })) };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((it) => !test(it))];
}
