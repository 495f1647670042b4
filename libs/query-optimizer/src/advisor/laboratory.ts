import { formatRelationName } from '../analysis/relation-name.js';
import { type EstimateSource } from './advice.js';
import { type AdvisorOptions } from './advisor.options.js';
import { type AdvisorSession, type ExplainableText, messageOf } from './advisor-session.js';
import { BuiltIndexes } from './built-indexes.js';
import { type Candidate } from './candidate.js';
import { Clone } from './clone.js';
import { missingDescentCost } from './descent-cost.js';
import { HypotheticalIndexes } from './hypothetical-indexes.js';
import { usedIndexNames } from './plan-node.js';
import { estimatedSizeBytes } from './size-model.js';
import { type TableCatalogue, type TableFacts } from './table-facts.js';

/** What the planner makes of a statement with the indexes that are present. */
export interface Trial {
  /** In the units of the statement's own tables. */
  readonly cost: number;
  /** As the planner said it of this very plan: above `cost` when another plan is known that it should have taken. */
  readonly plannedCost: number;
  readonly used: ReadonlySet<Candidate>;
}

/** A statement as the laboratory explains it. */
export interface Subject {
  readonly text: ExplainableText;
  /** Cost without any candidate, on the tables themselves. */
  readonly baseCost: number;
  /** It joins so many tables that the search has to do with briefer planning. */
  readonly isPlannedBriefly: boolean;
  /** The tables that it reads, leaves of partitioned ones included. */
  readonly tables: readonly TableFacts[];
}

interface Prepared {
  readonly text: ExplainableText;
  /** From the cost on copies, and by brief planning, to the cost on the tables as PostgreSQL plans. */
  readonly scale: number;
}

/** Bytes that PostgreSQL sorts into an index in a millisecond, for indexes that were not really built. */
const BUILD_BYTES_PER_MS = 40_000;

/** Shows the planner indexes that are not there, and asks it for plans. */
export class Laboratory {
  readonly source: Exclude<EstimateSource, 'built'>;
  readonly clone: Clone;
  readonly #built: BuiltIndexes;
  readonly #hypothetical: HypotheticalIndexes | null;
  readonly #prepared = new Map<Subject, Prepared | Error>();
  readonly #refused = new Map<Candidate, string | null>();
  /** All that is known of a statement. */
  readonly #trials = new Map<Subject, readonly Trial[]>();
  #present: ReadonlySet<Candidate> = new Set();

  private constructor(
    private readonly session: AdvisorSession,
    private readonly tables: TableCatalogue,
    hypopgSchema: string | null,
    cloneBytes: number,
  ) {
    this.source = hypopgSchema === null ? 'sample-clone' : 'hypopg';
    this.clone = new Clone(session, tables, cloneBytes);
    this.#built = new BuiltIndexes(session, this.clone, tables);
    this.#hypothetical =
      hypopgSchema === null
        ? null
        : new HypotheticalIndexes(session, hypopgSchema, (it) => this.#placesOf(it));
  }

  static async open(
    session: AdvisorSession,
    tables: TableCatalogue,
    { validation, cloneBytes }: AdvisorOptions,
  ): Promise<Laboratory> {
    const schema = validation === 'sample-clone' ? null : await session.extension('hypopg');
    if (validation === 'hypopg' && schema === null)
      throw new Error(
        'HypoPG is not there and could not be created; use validation "auto" or "sample-clone"',
      );
    return new Laboratory(session, tables, schema, cloneBytes);
  }

  /** Where the figures of this candidate come from. */
  sourceOf(candidate: Candidate): Exclude<EstimateSource, 'built'> {
    return this.#isBuilt(candidate) ? 'sample-clone' : 'hypopg';
  }

  /**
   * Makes ready what has to be built: copies of the tables, and the indexes on them. Must come before the first trial.
   *
   * @param deadline as performance.now counts; what is not built by then is refused
   */
  async prepare(
    subjects: readonly Subject[],
    candidates: readonly Candidate[],
    deadline: number,
  ): Promise<void> {
    const toBuild = candidates.filter((it) => this.#isBuilt(it));
    const needed = new Set(toBuild.flatMap((it) => this.#withRelatives(it.table)));
    if (this.#hypothetical === null)
      for (const it of subjects.flatMap((subject) => subject.tables)) needed.add(it);
    await this.clone.add([...needed]);
    for (const [it, reason] of await this.#built.build(toBuild, deadline)) this.#refused.set(it, reason);
    await this.#prepareTexts(subjects);
  }

  /** Why no plan of the statement could be had on copies; null when it could, or needed none. */
  failure(subject: Subject): string | null {
    const prepared = this.#prepared.get(subject);
    return prepared instanceof Error ? messageOf(prepared) : null;
  }

  /** Why a candidate could not be tried: undefined when it could, null when there was no time. */
  refusal(candidate: Candidate): string | null | undefined {
    return this.#refused.get(candidate);
  }

  /** Exactly these indexes are there for the trials that follow. */
  async present(candidates: ReadonlySet<Candidate>): Promise<void> {
    const usable = new Set([...candidates].filter((it) => !this.#refused.has(it)));
    await this.#built.present(usable);
    const hypothetical = new Set([...usable].filter((it) => !this.#isBuilt(it)));
    for (const [it, reason] of (await this.#hypothetical?.present(hypothetical)) ?? [])
      this.#refused.set(it, reason);
    this.#present = usable;
  }

  /** One plan with what is present. */
  async try(subject: Subject): Promise<Trial> {
    const prepared = this.#prepared.get(subject) ?? { text: subject.text, scale: 1 };
    const known = this.#trials.get(subject) ?? [unchanged(subject)];
    if (prepared instanceof Error) return unchanged(subject);
    const { text, scale } = prepared;
    const plan = await this.session.explainBriefly(text);
    const used = [...usedIndexNames(plan)].flatMap(
      (it) => this.#hypothetical?.named(it) ?? this.#built.named(it) ?? [],
    );
    const missing = missingDescentCost(plan, (it) => this.#pretendedBytes(it), this.session.cpuOperatorCost);
    const cost = (plan['Total Cost'] + missing) * scale;
    const plannedCost = plan['Total Cost'] * scale;
    const trial = { cost, plannedCost, used: new Set(used.filter((it) => this.#present.has(it))) };
    this.#trials.set(subject, [...known, trial]);
    // What the planner could do with fewer indexes it can do with more.
    const best = this.known(subject, this.#present);
    return best.cost < cost ? { ...best, plannedCost } : trial;
  }

  /** The cheapest plan that is known to be possible with these indexes: no more than what a new plan would cost. */
  known(subject: Subject, indexes: ReadonlySet<Candidate>): Trial {
    const trials = (this.#trials.get(subject) ?? []).filter((it) => it.used.isSubsetOf(indexes));
    return trials.reduce((best, it) => (it.cost < best.cost ? it : best), unchanged(subject));
  }

  /** One plan as PostgreSQL makes it outside of the search; null for statements that are tried on copies. */
  async verify(subject: Subject): Promise<Trial | null> {
    const prepared = this.#prepared.get(subject);
    if (!subject.isPlannedBriefly || prepared instanceof Error || prepared?.text.text !== subject.text.text)
      return null;
    await this.session.planBriefly(false);
    this.#prepared.delete(subject);
    this.#trials.delete(subject);
    return this.try(subject);
  }

  sizeBytes(candidate: Candidate): number {
    if (this.#isBuilt(candidate)) return this.#built.sizeBytes(candidate);
    const leaves = this.tables.leavesOf(candidate.table);
    return leaves.reduce((sum, it) => sum + estimatedSizeBytes(candidate, it), 0);
  }

  buildMs(candidate: Candidate): number {
    if (this.#isBuilt(candidate)) return this.#built.buildMs(candidate);
    // The table is read whole, and what the index holds is sorted.
    const leaves = this.tables.leavesOf(candidate.table);
    const tableBytes = leaves.reduce((sum, it) => sum + it.sizeBytes, 0);
    return (tableBytes / 4 + this.sizeBytes(candidate)) / BUILD_BYTES_PER_MS;
  }

  #pretendedBytes(indexName: string): number | undefined {
    const candidate = this.#hypothetical?.named(indexName);
    return candidate?.method === 'btree' ? this.sizeBytes(candidate) : undefined;
  }

  /** HypoPG refuses GIN, and the planner has no statistics of an expression before there is an index on it. */
  #isBuilt({ method, keys }: Candidate): boolean {
    return this.#hypothetical === null || method === 'gin' || keys.some((it) => it.isExpression);
  }

  #placesOf({ table }: Candidate): readonly string[] {
    return this.tables
      .leavesOf(table)
      .flatMap((it) => [formatRelationName(it), this.clone.of(it)?.relation ?? []].flat());
  }

  /** Its partitions, and what inherits from it: a statement on a parent reads them all. */
  #withRelatives(table: TableFacts): readonly TableFacts[] {
    const found = new Set<TableFacts>([table]);
    for (const it of found) {
      for (const oid of it.parents) {
        const parent = this.tables.byOid(oid);
        if (parent !== undefined) found.add(parent);
      }
      for (const child of this.tables.all) if (child.parents.includes(it.oid)) found.add(child);
    }
    return [...found];
  }

  /** Views are copied before any index is hidden, since showing it again would undo them. */
  async #prepareTexts(subjects: readonly Subject[]): Promise<void> {
    const copied = subjects.filter((it) => it.tables.some((table) => this.clone.of(table) !== undefined));
    const texts = new Map<Subject, string | Error>();
    for (const it of copied)
      texts.set(it, await this.session.attempt(() => this.clone.textFor(it.text.text)));
    await this.present(new Set());
    await this.session.planBriefly(true);
    for (const subject of subjects) {
      const text = texts.get(subject) ?? subject.text.text;
      if (!texts.has(subject) && !subject.isPlannedBriefly) continue;
      const made =
        text instanceof Error ? text : await this.session.attempt(() => this.#scaled(subject, text));
      if (!(made instanceof Error) || this.#hypothetical === null) this.#prepared.set(subject, made);
    }
  }

  async #scaled(subject: Subject, text: string): Promise<Prepared> {
    const explainable = { ...subject.text, text };
    const plan = await this.session.explainBriefly(explainable);
    return { text: explainable, scale: subject.baseCost / Math.max(0.01, plan['Total Cost']) };
  }
}

/** The statement as it is now. */
export function unchanged({ baseCost }: Subject): Trial {
  return { cost: baseCost, plannedCost: baseCost, used: new Set() };
}
