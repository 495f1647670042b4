import { CODE_BITS } from '@peregrine/ai/vectors';
import { type CodeSource, type CodeSpace } from '../codes/code-source.js';
import { type Neighbourhood } from '../graph/neighbourhood.js';
import { type ChunkFilter } from './chunk-filter.js';
import { CodeLeg } from './code-leg.js';
import { BATCH, type ExactRanking } from './exact-ranking.js';

/** `plain`: by the vector. `boost`: neighbours of the seeds gain. `within`: only they answer. */
export const RETRIEVAL_MODES = ['plain', 'boost', 'within'] as const;
export type RetrievalMode = (typeof RETRIEVAL_MODES)[number];

/** What a plan has to answer. */
export interface SearchGoal {
  readonly space: CodeSpace;
  readonly probe: Uint32Array;
  readonly filter: ChunkFilter;
  readonly mode: RetrievalMode;
  readonly limit: number;
  /** Deviations an answer must be certain by; `Infinity`: complete. */
  readonly z: number;
  /** What a proximity of 1 adds; 0 outside of mode `boost`. */
  readonly boost: number;
  /** True when the time is up. */
  isOverdue(): boolean;
}

/** Those of some chunks that pass the filter. */
export type PassingChunks = (chunkIds: readonly string[]) => Promise<readonly string[]>;

/** Enough for the first score that says how far to fetch. */
const FIRST_COUNT = 64;

const NOBODY: ReadonlyMap<string, number> = new Map();

/** One search: what was ranked, how far the codes were fetched, and what that proves. Plans decide what comes first. */
export class CertifiedSearch {
  readonly #everything: CodeLeg;
  #neighbours: CodeLeg | undefined;
  #neighbourhood: Neighbourhood | undefined;

  constructor(
    readonly goal: SearchGoal,
    readonly ranking: ExactRanking,
    private readonly walk: () => Promise<Neighbourhood>,
  ) {
    this.#everything = new CodeLeg({ filter: goal.filter, bonus: 0 });
  }

  get neighbourhood(): Neighbourhood | undefined {
    return this.#neighbourhood;
  }

  /** The legs that the answer comes from, the one that raises the threshold first. */
  get legs(): readonly CodeLeg[] {
    const neighbours = this.#neighbours ? [this.#neighbours] : [];
    return this.goal.mode === 'within' ? neighbours : [...neighbours, this.#everything];
  }

  /** Walks from the seeds, once. Nothing in mode `plain`. */
  async walkSeeds(): Promise<void> {
    const { mode, filter, boost } = this.goal;
    if (mode === 'plain' || this.#neighbourhood) return;
    this.#neighbourhood = await this.walk();
    const only = [...this.#neighbourhood.proximities.keys()];
    this.#neighbours = new CodeLeg({ filter, only, bonus: boost });
  }

  /** The nearest codes of each leg. */
  async fetchFirst(source: CodeSource): Promise<void> {
    for (const leg of this.legs) await this.#take(leg, source, CODE_BITS, FIRST_COUNT);
  }

  /** The nearest codes of all while the seeds' walk is under way: two connections. */
  async fetchFirstBesideWalk(source: CodeSource): Promise<void> {
    const first = this.#everything.take(source, CODE_BITS, FIRST_COUNT);
    const [ids] = await Promise.all([first, this.walkSeeds()]);
    await this.rank(ids);
  }

  /** Everything that the seeds reach and that passes, without a look at its codes. */
  async rankNeighbours(passing: PassingChunks): Promise<void> {
    const leg = this.#neighbours;
    if (!leg) return;
    const ids = await passing(leg.options.only ?? []);
    for (let at = 0; at < ids.length; at += BATCH) {
      if (this.goal.isOverdue()) return;
      await this.rank(ids.slice(at, at + BATCH));
    }
    leg.exhaust();
  }

  /**
   * Goes on where the last codes were taken, until the answer is certain enough or the time is up. The threshold is asked anew after
   * each batch: it only rises, and the cut-off falls with it. @returns whether anything was missing
   */
  async certify(source: CodeSource): Promise<boolean> {
    let hasTaken = false;
    for (const leg of this.legs) {
      while (this.#isShort(leg) && !this.goal.isOverdue()) {
        hasTaken = true;
        await this.#take(leg, source, leg.wanted(this.ranking.threshold, this.goal.z), BATCH);
      }
    }
    return hasTaken;
  }

  async rank(chunkIds: readonly string[]): Promise<void> {
    await this.ranking.rank(chunkIds, this.#neighbourhood?.proximities ?? NOBODY);
  }

  /** Whether nothing was left out. */
  get isComplete(): boolean {
    return this.legs.every((leg) => leg.isExhausted);
  }

  /** Deviations that the answer is certain by; `Infinity` also when nothing can be nearer than what was found. */
  get certainty(): number {
    return this.legs.reduce((least, it) => Math.min(least, it.certainty(this.ranking.threshold)), Infinity);
  }

  get isCertified(): boolean {
    return this.legs.every((leg) => !this.#isShort(leg));
  }

  #isShort(leg: CodeLeg): boolean {
    return !leg.isExhausted && leg.reach < leg.wanted(this.ranking.threshold, this.goal.z);
  }

  async #take(leg: CodeLeg, source: CodeSource, maxDistance: number, count: number): Promise<void> {
    await this.rank(await leg.take(source, maxDistance, count));
  }
}
