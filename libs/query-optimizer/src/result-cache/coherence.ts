import { type Catalogue } from '../catalogue/catalogue.js';
import { ChangeListener } from '../changes/change-listener.js';
import { SchemaCheck } from '../changes/schema-check.js';
import { QueryNotListeningError } from '../query-optimizer.errors.js';
import { type QueryOptimizerOptions } from '../query-optimizer.options.js';
import { Doubts } from './doubts.js';
import { type ResultStore } from './result-store.js';
import { tagsOfTable } from './table-tags.js';
import { WriteTracker } from './write-tracker.js';

export interface CoherenceInput {
  readonly options: Pick<QueryOptimizerOptions['cache'], 'listen' | 'maxStalenessMs'>;
  readonly store: ResultStore;
  readonly catalogue: Catalogue;
  readonly connectionString: string;
  readonly connectTimeoutMs: number;
  /** Of the sessions whose writes are seen anyway. */
  readonly origin: string;
  searchPath(): readonly string[];
  /** Whether the server still has a backend with this number. */
  hasBackend(processId: number): Promise<boolean>;
}

/** Keeps what is cached right: drops what was changed, by whomever, and says when that cannot be known. */
export class Coherence {
  /** To see every statement. */
  readonly writes: WriteTracker;
  readonly #doubts = new Doubts();
  readonly #schema: SchemaCheck;
  readonly #listener: ChangeListener | undefined;
  #isStopped = false;

  constructor(private readonly input: CoherenceInput) {
    const { options, store, catalogue, connectionString, connectTimeoutMs, origin } = input;
    const { listen, maxStalenessMs } = options;
    const clear = () => store.clear();
    this.writes = new WriteTracker({ ...input, doubts: this.#doubts });
    this.#schema = new SchemaCheck(catalogue, maxStalenessMs, clear);
    const changed = (table: number) => this.#changedElsewhere(table);
    this.#listener = listen
      ? new ChangeListener({
          ...{ connectionString, connectTimeoutMs, origin, maxStalenessMs },
          ...{ changed, listening: clear },
        })
      : undefined;
  }

  /** @param schemaReadAt when the catalogue was read, milliseconds of the monotonic clock */
  async start(schemaReadAt: number): Promise<void> {
    this.#schema.start(schemaReadAt);
    await this.#listener?.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#doubts.close();
    await Promise.all([this.#listener?.stop(), this.#schema.stop()]);
  }

  /** Why nothing may be answered from the cache now, if so. */
  get reasonToDistrust(): string | undefined {
    if (this.#isStopped) return 'CLOSED';
    if (this.#listener?.isHearing === false) return 'NOT_LISTENING';
    if (!this.#schema.isFresh) return 'SCHEMA_UNKNOWN';
    return this.#doubts.isEmpty ? undefined : 'WRITE_IN_DOUBT';
  }

  /** Resolves when everything that others have committed before is heard. @throws {QueryNotListeningError} */
  async catchUp(): Promise<void> {
    if (!this.#listener) throw new QueryNotListeningError();
    await this.#listener.echo();
  }

  /** Drops what depends on the table. A write to a parent table reaches its children. */
  async changed(table: number): Promise<void> {
    const { snapshot } = this.input.catalogue;
    const pending = [table];
    for (const it of pending) pending.push(...snapshot.childrenOf(it));
    await Promise.all(pending.map((it) => this.input.store.invalidate(tagsOfTable(it))));
  }

  async #changedElsewhere(table: number): Promise<void> {
    try {
      await this.changed(table);
    } catch {
      this.#doubts.add(() => this.changed(table).then(() => true));
    }
  }
}
