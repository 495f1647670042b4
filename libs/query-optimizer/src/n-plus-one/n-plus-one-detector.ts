import { AsyncLocalStorage } from 'node:async_hooks';
import { type QueryEnd, type QueryObserver, type TappedQuery } from '../tap/query-observer.js';
import { batchRewrite } from './batch-rewrite.js';
import { type CallSite, callSite } from './call-site.js';
import { type Call, loopKey } from './loop-evidence.js';
import { type NPlusOneFinding } from './n-plus-one-finding.js';
import { ParentResults } from './parent-results.js';

export interface NPlusOneOptions {
  /** Runs of one statement from one place that make a loop. @default 5 */
  readonly threshold?: number;
  /** Share of the scopes that are watched, 0 to 1; the stack of every query costs tens of microseconds. @default 1 */
  readonly sampleRate?: number;
  /** Told at the end of a scope, once for each loop. */
  readonly onFinding?: (finding: NPlusOneFinding) => void;
}

interface Group {
  readonly site: CallSite;
  readonly calls: Call[];
}

interface Scope {
  readonly name: string;
  readonly groups: Map<string, Group>;
  readonly parents: ParentResults;
}

/** Beyond this many runs of one statement nothing new is learned. */
const MAX_CALLS = 1_000;
const DEFAULT_THRESHOLD = 5;

/** Finds, within a request or a task, statements that are run for one value after the other. */
export class NPlusOneDetector implements QueryObserver {
  readonly #scopes = new AsyncLocalStorage<Scope | null>();
  readonly #threshold: number;
  #watched = 0;
  #found = 0;

  constructor(private readonly options: NPlusOneOptions = {}) {
    this.#threshold = options.threshold ?? DEFAULT_THRESHOLD;
  }

  /** Scopes that were watched, and loops in them. */
  get counts(): { readonly watched: number; readonly found: number } {
    return { watched: this.#watched, found: this.#found };
  }

  /**
   * Watches what the work asks of the database; a scope inside another is its own.
   *
   * @param name of the request or the task: `GET /workspaces/:id/files`
   * @returns what the work returns, with what was found
   */
  async watch<T>(name: string, work: () => Promise<T>): Promise<{ result: T; findings: NPlusOneFinding[] }> {
    const scope = this.#open(name);
    const result = await this.#scopes.run(scope, work);
    return { result, findings: this.#evaluate(scope) };
  }

  /** {@link watch} for a share of the calls, with the findings to `onFinding`, also when the work rejects. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (Math.random() >= (this.options.sampleRate ?? 1)) return this.#scopes.run(null, work);
    const scope = this.#open(name);
    try {
      return await this.#scopes.run(scope, work);
    } finally {
      for (const finding of this.#evaluate(scope)) this.options.onFinding?.(finding);
    }
  }

  /** For loops that are meant to be: what the work asks is not watched. @param _reason for the reader */
  allow<T>(_reason: string, work: () => T): T {
    return this.#scopes.run(null, work);
  }

  started({ statement, parameters, session }: TappedQuery): QueryEnd | undefined {
    const scope = this.#scopes.getStore();
    if (!scope || statement?.kind !== 'select') return undefined;
    const site = callSite();
    if (!site) return undefined;
    const { transaction } = session;
    return ({ rowCount, rows, durationMs, error }) => {
      if (error) return;
      const key = `${statement.fingerprint} ${site.key}`;
      const group = scope.groups.get(key) ?? { site, calls: [] };
      scope.groups.set(key, group);
      const call = { statement, parameters, transaction, rowCount, durationMs };
      if (group.calls.length < MAX_CALLS) group.calls.push(call);
      scope.parents.remember(statement.normalisedText, site.where, rows);
    };
  }

  #open(name: string): Scope {
    this.#watched++;
    return { name, groups: new Map(), parents: new ParentResults() };
  }

  #evaluate(scope: Scope): NPlusOneFinding[] {
    const findings: NPlusOneFinding[] = [];
    for (const { site, calls } of scope.groups.values()) {
      const statement = calls[0]?.statement;
      const key = calls.length >= this.#threshold ? loopKey(calls) : null;
      if (!statement || !key) continue;
      findings.push({
        scope: scope.name,
        fingerprint: statement.fingerprint,
        sql: statement.normalisedText,
        where: site.where,
        frames: site.frames,
        count: calls.length,
        durationMs: calls.reduce((sum, it) => sum + it.durationMs, 0),
        table: key.table,
        column: key.column,
        parent: scope.parents.find(key.values),
        rewrite: batchRewrite(statement, key),
      });
    }
    this.#found += findings.length;
    return findings;
  }
}
