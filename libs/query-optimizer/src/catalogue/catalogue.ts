import { type Statement } from '../analysis/statement.js';
import { type RelationName } from '../analysis/relation-name.js';
import { QueryCatalogueNotLoadedError } from '../query-optimizer.errors.js';
import { readSchemaVersion, readSnapshot, type CatalogueSource } from './catalogue-reader.js';
import { resolveStatement } from './resolve.js';
import { type ResolvedStatement } from './resolved-statement.js';
import { findRelation } from './search-path.js';
import { type CatalogueRelation, type CatalogueSnapshot, type SessionNames } from './snapshot.js';

interface Resolved {
  readonly searchPath: readonly string[];
  readonly resolved: ResolvedStatement;
}

/**
 * The schema of one database as a snapshot in memory. It is as old as the last {@link refresh}: call that after DDL,
 * when a listener hears of a change, and from time to time {@link refreshIfChanged}.
 */
export class Catalogue {
  #snapshot: CatalogueSnapshot | undefined;
  #running: Promise<CatalogueSnapshot> | undefined;
  #invalidations = 0;
  #included = 0;
  #queued: Promise<CatalogueSnapshot> | undefined;
  /** What was resolved last of each statement: several ask for the same while it is run. */
  #latest = new WeakMap<Statement, Resolved>();

  /** @param searchPath instead of that of the sessions */
  constructor(
    private readonly source: CatalogueSource,
    private readonly searchPath?: readonly string[],
  ) {}

  /** Counts the snapshots from 1; 0 before the first. Belongs into keys and versions that depend on the schema. */
  get version(): number {
    return this.#snapshot?.version ?? 0;
  }

  /** @throws {QueryCatalogueNotLoadedError} before the first refresh */
  get snapshot(): CatalogueSnapshot {
    if (this.#snapshot === undefined) throw new QueryCatalogueNotLoadedError();
    return this.#snapshot;
  }

  /** As of the snapshot: the search path changes with the schemas that there are. @throws as `snapshot` */
  get session(): SessionNames {
    const { session } = this.snapshot;
    return this.searchPath ? { ...session, searchPath: this.searchPath } : session;
  }

  /** True from {@link invalidate} to the end of a refresh that began after it: nothing should be cached meanwhile. */
  get isOutdated(): boolean {
    return this.#invalidations > this.#included;
  }

  /** To be called when DDL may have committed; a {@link refresh} that starts afterwards clears it. */
  invalidate(): void {
    this.#invalidations += 1;
  }

  /**
   * Reads the catalogue again: 13 small queries in one read-only transaction. A call during a refresh waits for one that
   * starts afterwards, so that what the caller knows to be committed is in it; any number of such calls share it.
   *
   * @throws {QueryCatalogueError} the old snapshot stays
   */
  refresh(): Promise<CatalogueSnapshot> {
    if (this.#queued !== undefined) return this.#queued;
    if (this.#running === undefined) return this.#start();
    this.#queued = this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#queued;
  }

  /** One small query; a refresh only if the schema has changed. True if it had. */
  async refreshIfChanged(): Promise<boolean> {
    const version = await readSchemaVersion(this.source);
    if (version === this.#snapshot?.schemaVersion && !this.isOutdated) return false;
    this.invalidate();
    await this.refresh();
    return true;
  }

  /**
   * What the statement means now. Pure and remembered; costs a look-up when asked again.
   *
   * @param searchPath schemas in order, `$user` resolved: what `current_schemas(false)` answers
   * @throws {QueryCatalogueNotLoadedError}
   */
  resolve(statement: Statement, searchPath: readonly string[]): ResolvedStatement {
    const known = this.#latest.get(statement);
    if (known?.searchPath === searchPath) return known.resolved;
    const resolved = resolveStatement(this.snapshot, statement, searchPath);
    this.#latest.set(statement, { searchPath, resolved });
    return resolved;
  }

  /** The table of a name, for invalidation by hand; undefined when there is none. */
  find(name: RelationName, searchPath: readonly string[]): CatalogueRelation | undefined {
    return findRelation(this.snapshot, name, searchPath);
  }

  #start(): Promise<CatalogueSnapshot> {
    this.#queued = undefined;
    const included = this.#invalidations;
    this.#running = readSnapshot(this.source, this.version + 1)
      .then((snapshot) => {
        this.#included = included;
        this.#snapshot = snapshot;
        this.#latest = new WeakMap();
        return snapshot;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
