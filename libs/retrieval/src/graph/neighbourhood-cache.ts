import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Statements } from '../statements.js';
import { type Neighbourhood, walkNeighbourhood, type Walk } from './neighbourhood.js';

/** Chunks in all kept neighbourhoods together: some 100 bytes each. */
const KEPT_CHUNKS = 200_000;

export interface KeptWalk extends Walk {
  readonly seeds: readonly string[];
  /** Of the workspace, taken before the walk. Undefined inside a transaction: nothing is kept of it. */
  readonly version: string | undefined;
}

/** What seeds reach, for one version of a workspace. */
@Injectable()
export class NeighbourhoodCache {
  readonly #kept = new LRUCache<string, Neighbourhood>({
    maxSize: KEPT_CHUNKS,
    sizeCalculation: (it) => it.proximities.size,
  });

  has(walk: KeptWalk): boolean {
    return walk.version !== undefined && this.#kept.has(keyOf(walk));
  }

  async walk(statements: Statements, walk: KeptWalk): Promise<Neighbourhood> {
    if (walk.version === undefined) return walkNeighbourhood(statements, walk.seeds, walk);
    const key = keyOf(walk);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const found = await walkNeighbourhood(statements, walk.seeds, walk);
    this.#kept.set(key, found);
    return found;
  }
}

function keyOf({ workspaceId, version, maxNeighbours, seeds }: KeptWalk): string {
  return [workspaceId, version, maxNeighbours, ...seeds.toSorted()].join(' ');
}
