import { type RejectionCode } from './advice.js';
import { Budget } from './budget.js';
import { type Candidate } from './candidate.js';
import { type Effect, IndexSet, type Losses, type Rejection, type Target } from './index-set.js';
import { type Laboratory, type Trial } from './laboratory.js';

export interface SelectionLimits {
  readonly budgetBytes: number;
  readonly minImprovement: number;
  readonly maxRegression: number;
  /** As performance.now counts. */
  readonly deadline: number;
  /** Gain less writes and storage, as a share of the workload; below 0 the index is not worth its price. */
  readonly worth: (
    losses: Pick<Losses, 'loss' | 'relativeLoss'>,
    of: Candidate,
    instead: readonly Candidate[],
  ) => number;
  /** The same index without INCLUDE; null when it has none. */
  readonly narrowed: (candidate: Candidate) => Candidate | null;
}

export interface Selected {
  readonly indexes: readonly Candidate[];
  readonly trials: ReadonlyMap<Target, Trial>;
  readonly rejections: ReadonlyMap<Candidate, Rejection>;
  /** False: the time was over before everything was tried. */
  readonly isComplete: boolean;
}

type Proof = readonly (readonly [Target, Trial | undefined])[];

/** Only of a large index is it worth while to look for smaller ones in its place. */
const REPLACED_SHARE = 0.05;
/** What serves more statements than this has its place. */
const REPLACED_USERS = 8;
const SMALLER = 0.8;

/**
 * Chooses indexes for the whole workload. It begins with what the planner picks for each statement by itself, from all of its
 * candidates and once more from the narrow ones only, and then takes away what the others make superfluous: backwards, since
 * an index of a join may gain nothing before its counterpart is there. Taking one away concerns only the statements whose plan
 * uses it (a planner that does not use an index does not miss it), and it is clear that an index stays as soon as the first
 * statements show its worth, which is why few plans are needed (the lazy evaluation of Minoux, 1978; the start from the best
 * indexes of each query after Chaudhuri and Narasayya, VLDB 1997).
 */
export class Selection {
  readonly #set: IndexSet;
  readonly #proofs = new Map<Candidate, Proof>();

  constructor(
    private readonly laboratory: Laboratory,
    private readonly targets: readonly Target[],
    private readonly limits: SelectionLimits,
  ) {
    this.#set = new IndexSet(laboratory, targets);
  }

  async run(): Promise<Selected> {
    await this.#choosePerStatement(() => true);
    await this.#choosePerStatement((it) => it.included.length === 0);
    await this.#set.measureAll();
    this.#dropUnused();
    await this.#dropSuperfluous();
    await this.#replaceBySmaller();
    await this.#narrow();
    await this.#dropSuperfluous();
    await new Budget(this.#set, this.limits).keep();
    await this.#set.verify(this.limits.deadline);
    this.#dropUnused();
    await this.#guard();
    const { chosen, trials, rejections } = this.#set;
    return { indexes: chosen, trials, rejections, isComplete: !this.#isLate };
  }

  get #isLate(): boolean {
    return performance.now() > this.limits.deadline;
  }

  async #choosePerStatement(isWanted: (candidate: Candidate) => boolean): Promise<void> {
    for (const { subject, candidates: all } of this.targets) {
      const candidates = all.filter(isWanted);
      if (candidates.length === 0) continue;
      if (this.#isLate) {
        for (const it of candidates) this.#set.note(it, 'time', 'There was no time to try it.');
        continue;
      }
      await this.laboratory.present(new Set(candidates));
      const { cost, used } = await this.laboratory.try(subject);
      const isBetter = cost < subject.baseCost * (1 - this.limits.minImprovement / 4);
      for (const it of candidates) {
        if (isBetter && used.has(it)) this.#set.add(it);
        else this.#set.note(it, 'no-gain', 'The planner prefers another index, or none.');
      }
    }
  }

  #dropUnused(): void {
    for (const it of this.#set.chosen) {
      if (this.#set.users(it).length === 0)
        this.#set.remove(
          it,
          'dominated',
          'Another recommended index serves the same statements at least as well.',
        );
    }
  }

  /** It is clear that an index stays when those of its statements that were asked so far show its worth. */
  #isWorthwhile(of: Candidate, instead: readonly Candidate[] = []): (losses: Losses) => boolean {
    return (losses) =>
      losses.worst > this.limits.minImprovement && this.limits.worth(losses, of, instead) > 0;
  }

  /** One pass, those with the least to gain for their bytes first. */
  async #dropSuperfluous(): Promise<void> {
    const density = (it: Candidate): number =>
      this.#set.users(it).reduce((sum, target) => sum + this.#set.gain(target), 0) /
      this.laboratory.sizeBytes(it);
    for (const it of this.#set.chosen.toSorted((a, b) => density(a) - density(b))) {
      if (this.#isLate) return;
      if (this.#isStillProven(it)) continue;
      const rest = this.#set.exchanged(it, []);
      const effect = await this.#set.effectOf(rest, this.#set.users(it), this.#isWorthwhile(it));
      if (effect.isCut) {
        this.#proofs.set(it, this.#witness(effect));
        continue;
      }
      this.#set.remove(it, ...this.#superfluity(effect));
      this.#set.accept(effect);
    }
  }

  /** What the statements that showed an index's worth cost with it. */
  #witness({ trials }: Effect): Proof {
    return [...trials.keys()].map((it) => [it, this.#set.trials.get(it)]);
  }

  /** Their plans have not changed since. */
  #isStillProven(candidate: Candidate): boolean {
    const proof = this.#proofs.get(candidate);
    return proof?.every(([target, trial]) => this.#set.trials.get(target) === trial) === true;
  }

  #superfluity({ worst }: Effect): [RejectionCode, string] {
    if (worst > this.limits.minImprovement)
      return ['write-cost', 'What it saves is less than what it costs in writes and storage.'];
    const percent = Math.round(worst * 100);
    return [
      worst <= 0.01 ? 'dominated' : 'small-gain',
      `Without it no statement becomes dearer by more than ${percent} %, as other indexes serve them.`,
    ];
  }

  /** A large index may be one that serves several statements for which smaller ones do nearly as well: partial ones, BRIN. */
  async #replaceBySmaller(): Promise<void> {
    const isLarge = (it: Candidate) => this.laboratory.sizeBytes(it) > this.#set.sizeBytes * REPLACED_SHARE;
    const queue = this.#set.chosen.filter(isLarge);
    for (const large of queue) {
      const users = this.#set.users(large);
      if (this.#isLate) return;
      if (users.length > REPLACED_USERS) continue;
      const sizeBytes = this.laboratory.sizeBytes(large);
      const smaller = new Set(
        users
          .flatMap((it) => it.candidates)
          .filter((it) => it.table === large.table && !this.#set.has(it) && this.#isUsable(it))
          .filter((it) => this.laboratory.sizeBytes(it) < sizeBytes * SMALLER),
      );
      if (smaller.size === 0) continue;
      const { trials } = await this.#set.effectOf(this.#set.exchanged(large, [...smaller]), users);
      const others = [...smaller].filter((it) => [...trials.values()].some(({ used }) => used.has(it)));
      if (others.length === 0 || this.#set.bytesOf(others) > sizeBytes * SMALLER) continue;
      const next = this.#set.exchanged(large, others);
      const effect = await this.#set.effectOf(next, users, (it) => this.limits.worth(it, large, others) > 0);
      if (effect.isCut) continue;
      this.#set.remove(large, 'dominated', 'Smaller indexes serve its statements nearly as well.');
      for (const it of others) this.#set.add(it);
      queue.push(...others);
      this.#set.accept(effect);
    }
  }

  #isUsable(candidate: Candidate): boolean {
    return this.laboratory.refusal(candidate) === undefined;
  }

  /** Takes INCLUDE away where it gains little for its bytes. */
  async #narrow(): Promise<void> {
    for (const it of this.#set.chosen) {
      if (this.#isLate) return;
      const narrow = this.limits.narrowed(it);
      if (narrow === null || !this.#isUsable(narrow)) continue;
      const next = this.#set.exchanged(it, [narrow]);
      const effect = await this.#set.effectOf(next, this.#set.users(it), this.#isWorthwhile(it, [narrow]));
      if (effect.isCut) continue;
      this.#set.remove(
        it,
        'small-gain',
        'Without the included columns it serves the statements nearly as well.',
      );
      this.#set.add(narrow);
      this.#set.accept(effect);
    }
  }

  /** Should a statement become dearer by what is chosen, the indexes of its new plan go until it does not. */
  async #guard(): Promise<void> {
    for (const target of this.targets) {
      const limit = target.subject.baseCost * (1 + this.limits.maxRegression);
      for (;;) {
        const trial = this.#set.trials.get(target);
        const culprits = [...(trial?.used ?? [])].toSorted(
          (a, b) => this.#set.users(a).length - this.#set.users(b).length,
        );
        const [culprit] = culprits;
        if (trial === undefined || trial.plannedCost <= limit || culprit === undefined) break;
        const effect = await this.#set.effectOf(this.#set.exchanged(culprit, []), this.#set.users(culprit));
        this.#set.remove(culprit, 'regression', `With it the statement ${target.id} would become dearer.`);
        this.#set.accept(effect);
      }
    }
  }
}
