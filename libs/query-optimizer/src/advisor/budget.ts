import { type Candidate } from './candidate.js';
import { type Effect, type IndexSet, type Target } from './index-set.js';
import { type SelectionLimits } from './selection.js';

interface Move {
  readonly from: Candidate;
  readonly to: readonly Candidate[];
  readonly savedBytes: number;
  readonly effect: Effect;
  /** Loss for each byte that is needed. */
  readonly rate: number;
  /** Number of moves that were made before it was judged. */
  readonly age: number;
}

/** Brings a set of indexes down to the budget: what loses least for its bytes goes first, whole or in part. */
export class Budget {
  #age = 0;

  constructor(
    private readonly set: IndexSet,
    private readonly limits: SelectionLimits,
  ) {}

  async keep(): Promise<void> {
    if (this.#overflow <= 0) return;
    const removed: { candidate: Candidate; users: readonly Target[] }[] = [];
    let moves = this.#moves();
    while (this.#overflow > 0) {
      const best = moves.toSorted((a, b) => a.rate - b.rate)[0];
      if (best === undefined) return;
      moves = moves.filter((it) => it !== best);
      if (best.age < this.#age && performance.now() <= this.limits.deadline) {
        // What is known already only bounds the loss, and every move that is made changes it.
        const again = await this.#judge(best.from, best.to);
        moves = again === null ? moves : [...moves, again];
        continue;
      }
      removed.push({ candidate: best.from, users: this.set.users(best.from) });
      this.#make(best);
      moves = moves.filter((it) => it.from !== best.from);
      for (const it of best.to) moves.push(...this.#movesOf(it));
    }
    await this.#refill(removed);
  }

  get #overflow(): number {
    return this.set.sizeBytes - this.limits.budgetBytes;
  }

  #moves(): Move[] {
    return this.set.chosen.flatMap((it) => this.#movesOf(it));
  }

  #movesOf(from: Candidate): Move[] {
    const narrow = this.limits.narrowed(from);
    const moves = [this.#estimate(from, []), narrow === null ? null : this.#estimate(from, [narrow])];
    return moves.filter((it) => it !== null);
  }

  /** Without new plans. */
  #estimate(from: Candidate, to: readonly Candidate[]): Move | null {
    const added = to.filter((it) => !this.set.has(it));
    const effect = this.set.knownEffectOf(this.set.exchanged(from, added), this.set.users(from));
    return this.#moveOf(from, added, effect, -1);
  }

  async #judge(from: Candidate, to: readonly Candidate[]): Promise<Move | null> {
    const added = to.filter((it) => !this.set.has(it));
    if (!this.set.has(from)) return null;
    const effect = await this.set.effectOf(this.set.exchanged(from, added), this.set.users(from));
    return this.#moveOf(from, added, effect, this.#age);
  }

  #moveOf(from: Candidate, to: readonly Candidate[], effect: Effect, age: number): Move | null {
    const savedBytes = this.set.bytesOf([from]) - this.set.bytesOf(to);
    if (!this.set.has(from) || savedBytes <= 0) return null;
    // More than is over the budget is saved for nothing.
    const rate = effect.loss / Math.min(savedBytes, Math.max(1, this.#overflow));
    return { from, to, savedBytes, effect, rate, age };
  }

  #make({ from, to, effect }: Move): void {
    this.#age += 1;
    this.set.remove(
      from,
      'budget',
      `The byte budget is spent on indexes that gain more for their size; without it ${Math.round(effect.loss).toLocaleString('en')} are lost.`,
    );
    for (const it of to) this.set.add(it);
    this.set.accept(effect);
  }

  /** What fits again after the last step, which may have saved more than was needed. */
  async #refill(removed: readonly { candidate: Candidate; users: readonly Target[] }[]): Promise<void> {
    for (const { candidate, users } of removed.toReversed()) {
      if (performance.now() > this.limits.deadline) return;
      if (this.set.has(candidate) || this.set.bytesOf([candidate]) > -this.#overflow) continue;
      const effect = await this.set.effectOf(this.set.exchanged(null, [candidate]), users);
      const gains = [...effect.trials].map(([target, { cost }]) => {
        const before = this.set.trials.get(target)?.cost ?? target.subject.baseCost;
        return 1 - cost / before;
      });
      const gained = { loss: -effect.loss, relativeLoss: gains.reduce((sum, it) => sum + it, 0) };
      if (this.limits.worth(gained, candidate, []) <= 0) continue;
      if (Math.max(0, ...gains) <= this.limits.minImprovement) continue;
      this.set.add(candidate);
      this.set.accept(effect);
    }
  }
}
