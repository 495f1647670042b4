import { Logger } from '@nestjs/common';
import { DatabaseError } from 'pg';
import { type Statement } from '../analysis/statement.js';
import { type Catalogue } from '../catalogue/catalogue.js';
import { type QueryEnd, type QueryObserver, type TappedQuery } from '../tap/query-observer.js';
import { type Session } from '../tap/session.js';
import { type Doubts } from './doubts.js';
import { type ResultStore } from './result-store.js';
import { writeTags } from './table-tags.js';

/** What a transaction has written so far. */
interface Writes {
  readonly tags: Set<string>;
  /** The snapshot of the schema that the tags are from. */
  readonly version: number;
  /** Everything may have changed. */
  all: boolean;
  /** The schema may have changed. */
  ddl: boolean;
}

/** Nothing that a result depends on. */
const HARMLESS: ReadonlySet<Statement['kind']> = new Set([
  'show',
  'listen',
  'unlisten',
  'notify',
  'lock',
  'fetch',
  'close',
]);
const SCHEMA: ReadonlySet<Statement['kind']> = new Set(['ddl', 'refresh', 'do', 'call', 'unknown']);

export interface WriteTrackerInput {
  readonly store: ResultStore;
  readonly catalogue: Catalogue;
  readonly doubts: Doubts;
  /** Of the sessions. */
  searchPath(): readonly string[];
  /** Whether the server still has a backend with this number. */
  hasBackend(processId: number): Promise<boolean>;
}

/**
 * Invalidates what the application writes, whoever writes it: at once outside of a transaction, after its commit
 * inside. The writer's caller waits for it, so what it reads next is not older. Where it is not certain that nothing
 * was written (an error, a lost connection), it counts as written. Where a statement belongs is decided at its end, by
 * the server's word, so statements may be sent behind each other.
 */
export class WriteTracker implements QueryObserver {
  readonly #logger = new Logger(WriteTracker.name);
  readonly #open = new WeakMap<Session, Writes>();

  constructor(private readonly input: WriteTrackerInput) {}

  started({ statement, parameters, session }: TappedQuery): QueryEnd | undefined {
    const action = statement?.transaction;
    if (action === 'commit' || action === 'prepare') return ({ error }) => this.#flush(session, error);
    if (action === 'commit prepared') return ({ error }) => this.#apply(this.#everything(), session, error);
    if (action === 'rollback') return () => void this.#open.delete(session);
    if (action) return undefined;
    const writes = this.#writesOf(statement, parameters, session);
    if (!writes) return undefined;
    return ({ error }) => {
      const isInside = session.isInTransaction;
      if (isInside) this.#note(session, writes);
      // Several statements may have been several transactions.
      return isInside && statement ? undefined : this.#apply(writes, session, error);
    };
  }

  #writesOf(
    statement: Statement | null,
    parameters: readonly unknown[],
    session: Session,
  ): Writes | undefined {
    const { catalogue } = this.input;
    if (!statement) return this.#everything();
    // Before the schema is known nothing is cached.
    if (HARMLESS.has(statement.kind) || catalogue.version === 0) return undefined;
    if (SCHEMA.has(statement.kind) || SCHEMA.has(statement.inner ?? 'select')) {
      session.altered('names');
      return this.#everything();
    }
    const { snapshot, version } = catalogue;
    const resolved = catalogue.resolve(statement, this.input.searchPath());
    session.altered(resolved.sessionChange);
    if (resolved.unknownWrites) return this.#everything(false);
    const writes = resolved.writes.length > 0 || statement.writes.length > 0;
    // Its names may mean other tables, and its functions other functions.
    if (session.hasOtherNames && (writes || statement.functions.length > 0)) return this.#everything(false);
    if (!writes) return undefined;
    // A table that the snapshot does not know is newer than it.
    const isUnknown = resolved.writes.length < statement.writes.length;
    const tags = new Set(writeTags(resolved, parameters, snapshot));
    return { tags, version, all: isUnknown, ddl: isUnknown };
  }

  #everything(ddl = true): Writes {
    return { tags: new Set(), version: this.input.catalogue.version, all: true, ddl };
  }

  #note(session: Session, { tags, version, all, ddl }: Writes): void {
    const writes = this.#open.get(session) ?? { tags: new Set(), version, all: false, ddl: false };
    this.#open.set(session, writes);
    for (const it of tags) writes.tags.add(it);
    writes.all ||= all || version !== writes.version;
    writes.ddl ||= ddl;
  }

  async #flush(session: Session, error: Error | null): Promise<void> {
    const writes = this.#open.get(session);
    this.#open.delete(session);
    if (writes) await this.#apply(writes, session, error);
  }

  async #apply(writes: Writes, session: Session, error: Error | null): Promise<void> {
    if (error && !(error instanceof DatabaseError)) this.#doubt(writes, session);
    try {
      await this.#invalidate(writes);
      if (writes.ddl) await this.input.catalogue.refresh();
    } catch (failure) {
      // The statement is done; its caller must not take this for a failure of it.
      this.#logger.error('What a write has changed could not be invalidated', failure);
      this.input.doubts.add(async () => {
        await this.#invalidate(writes);
        return true;
      });
    }
  }

  /** The server has not said how it ended, so it may go on there, and end after what is read meanwhile. */
  #doubt(writes: Writes, session: Session): void {
    const { processId } = session;
    this.input.doubts.add(async () => {
      if (session.isConnected ? !session.isIdle : await this.input.hasBackend(processId ?? 0)) return false;
      await this.#invalidate(writes);
      return true;
    });
  }

  /** By another snapshot of the schema the write may have reached more than its tags. */
  async #invalidate({ tags, version, all, ddl }: Writes): Promise<void> {
    const { catalogue, store } = this.input;
    if (ddl) catalogue.invalidate();
    if (all || catalogue.isOutdated || version !== catalogue.version) await store.clear();
    else await store.invalidate([...tags]);
  }
}
