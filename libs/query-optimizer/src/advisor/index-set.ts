import { type RejectionCode } from './advice.js';
import { type Candidate } from './candidate.js';
import { type Laboratory, type Subject, type Trial, unchanged } from './laboratory.js';

/** A statement in the search, with what one unit of its cost is worth. */
export interface Target {
  readonly id: string;
  readonly subject: Subject;
  /** Calls, or milliseconds per unit of cost. */
  readonly weight: number;
  readonly candidates: readonly Candidate[];
}

export interface Rejection {
  readonly code: RejectionCode;
  readonly reason: string;
}

/** What a change of the set does to the statements that it concerns. */
export interface Effect {
  readonly trials: ReadonlyMap<Target, Trial>;
  readonly loss: number;
  /** Sum of the parts by which single statements become dearer: what a rare statement loses counts here as well. */
  readonly relativeLoss: number;
  /** The largest part by which one statement becomes dearer. */
  readonly worst: number;
  /** It was clear before all statements were asked: the other figures are lower bounds. */
  readonly isCut: boolean;
}

/** A part of a statement's cost that is not worth a plan. */
const NEGLIGIBLE = 0.01;

export type Losses = Pick<Effect, 'loss' | 'relativeLoss' | 'worst'>;

/** The indexes that are chosen so far, and what each statement costs with all of them. */
export class IndexSet {
  readonly #chosen = new Set<Candidate>();
  readonly #trials = new Map<Target, Trial>();
  readonly #rejections = new Map<Candidate, Rejection>();

  constructor(
    private readonly laboratory: Laboratory,
    readonly targets: readonly Target[],
  ) {}

  get chosen(): readonly Candidate[] {
    return [...this.#chosen];
  }

  get trials(): ReadonlyMap<Target, Trial> {
    return this.#trials;
  }

  get rejections(): ReadonlyMap<Candidate, Rejection> {
    return this.#rejections;
  }

  get sizeBytes(): number {
    return this.bytesOf(this.#chosen);
  }

  bytesOf(candidates: Iterable<Candidate>): number {
    return [...candidates].reduce((sum, it) => sum + this.laboratory.sizeBytes(it), 0);
  }

  has(candidate: Candidate): boolean {
    return this.#chosen.has(candidate);
  }

  add(candidate: Candidate): void {
    this.#chosen.add(candidate);
    this.#rejections.delete(candidate);
  }

  remove(candidate: Candidate, code: RejectionCode, reason: string): void {
    this.#chosen.delete(candidate);
    this.#rejections.set(candidate, { code, reason });
  }

  /** Without a word about those that were chosen before. */
  note(candidate: Candidate, code: RejectionCode, reason: string): void {
    if (!this.#chosen.has(candidate)) this.#rejections.set(candidate, { code, reason });
  }

  accept({ trials }: Pick<Effect, 'trials'>): void {
    for (const [target, trial] of trials) this.#trials.set(target, trial);
  }

  /** One plan for each statement that has candidates at all. */
  async measureAll(): Promise<void> {
    await this.laboratory.present(this.#chosen);
    for (const target of this.targets) {
      const isConcerned = target.candidates.length > 0;
      const trial = isConcerned ? await this.laboratory.try(target.subject) : unchanged(target.subject);
      this.#trials.set(target, trial);
    }
  }

  /** Plans once more, with the planner's full effort, the statements for which the search had to do with less. */
  async verify(deadline: number): Promise<void> {
    await this.laboratory.present(this.#chosen);
    for (const target of this.targets) {
      if (performance.now() > deadline) return;
      const trial =
        (this.#trials.get(target)?.used.size ?? 0) > 0 ? await this.laboratory.verify(target.subject) : null;
      if (trial !== null) this.#trials.set(target, trial);
    }
  }

  /** The set with `to` in the place of `from`. */
  exchanged(from: Candidate | null, to: readonly Candidate[]): ReadonlySet<Candidate> {
    return new Set([...this.chosen.filter((it) => it !== from), ...to]);
  }

  /** @param isClear stops the trials when what is known so far suffices */
  async effectOf(
    set: ReadonlySet<Candidate>,
    concerned: readonly Target[],
    isClear: (losses: Losses) => boolean = () => false,
  ): Promise<Effect> {
    const trials = new Map<Target, Trial>();
    let [loss, relativeLoss, worst] = [0, 0, 0];
    const cheap = this.#withoutPlans(set, concerned);
    if (cheap !== null) return cheap;
    if (concerned.length > 0) await this.laboratory.present(set);
    for (const target of concerned.toSorted((a, b) => this.gain(b) - this.gain(a))) {
      const before = this.#trials.get(target) ?? unchanged(target.subject);
      const after = await this.laboratory.try(target.subject);
      trials.set(target, after);
      loss += (after.cost - before.cost) * target.weight;
      const relative = 1 - before.cost / Math.max(0.01, after.cost);
      relativeLoss += Math.max(-1, relative);
      worst = Math.max(worst, relative);
      if (isClear({ loss, relativeLoss, worst })) return { trials, loss, relativeLoss, worst, isCut: true };
    }
    return { trials, loss, relativeLoss, worst, isCut: false };
  }

  /** When plans that are known already show that nearly nothing is lost, no new ones are needed. */
  #withoutPlans(set: ReadonlySet<Candidate>, concerned: readonly Target[]): Effect | null {
    const effect = this.knownEffectOf(set, concerned);
    return effect.worst > NEGLIGIBLE ? null : effect;
  }

  /** From plans that are known already: its losses are upper bounds. */
  knownEffectOf(set: ReadonlySet<Candidate>, concerned: readonly Target[]): Effect {
    const trials = new Map(concerned.map((it) => [it, this.laboratory.known(it.subject, set)]));
    let [loss, relativeLoss, worst] = [0, 0, 0];
    for (const [target, { cost }] of trials) {
      const before = this.#trials.get(target)?.cost ?? target.subject.baseCost;
      const relative = 1 - before / Math.max(0.01, cost);
      loss += (cost - before) * target.weight;
      relativeLoss += relative;
      worst = Math.max(worst, relative);
    }
    return { trials, loss, relativeLoss, worst, isCut: false };
  }

  users(candidate: Candidate): readonly Target[] {
    return this.targets.filter((it) => this.#trials.get(it)?.used.has(candidate) === true);
  }

  /** What all indexes together save for a statement: no single one can save more. */
  gain(target: Target): number {
    const cost = this.#trials.get(target)?.cost ?? target.subject.baseCost;
    return Math.max(0, target.subject.baseCost - cost) * target.weight;
  }
}
