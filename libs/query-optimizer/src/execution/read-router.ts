import { type Client, DatabaseError } from 'pg';
import { type Statement } from '../analysis/statement.js';
import { type Catalogue } from '../catalogue/catalogue.js';
import { type ResolvedStatement, type UncacheableCode } from '../catalogue/resolved-statement.js';
import { type ReplicaSet } from '../replicas/replica-set.js';
import { readTags } from '../result-cache/table-tags.js';
import { type QueryAnswerer, type TappedQuery, type TappedResult } from '../tap/query-observer.js';
import { type Session } from '../tap/session.js';
import { QueryTimeoutError } from '../query-optimizer.errors.js';
import { type ExecuteOptions } from './execute-options.js';
import { type TappedServer } from './tapped-server.js';

/** What a replica answers as the primary would. What else is not cached depends on the server that is asked. */
const SAME_ON_REPLICAS: ReadonlySet<UncacheableCode> = new Set([
  'TIME_DEPENDENT',
  'SESSION_DEPENDENT',
  'SAMPLES_ROWS',
]);

/** The server cancelled it: because of a limit, which counts everywhere. */
const QUERY_CANCELED = '57014';

export type RouteOptions = Pick<
  ExecuteOptions,
  'priority' | 'signal' | 'timeoutMs' | 'variables' | 'primary'
>;

/**
 * Which server is asked. Reads go to a replica where one has what they may depend on, and what a replica cannot answer
 * goes to the primary; there a read whose connection was lost is run once more. Everything else is sent once.
 */
export class ReadRouter implements QueryAnswerer {
  constructor(
    private readonly primary: TappedServer,
    private readonly replicas: ReplicaSet | undefined,
    private readonly catalogue: Catalogue,
    private readonly searchPath: () => readonly string[],
  ) {}

  /** A statement that belongs to no transaction. @throws what the server throws */
  send(statement: Statement, parameters: readonly unknown[], options: RouteOptions): Promise<TappedResult> {
    const resolved = this.#resolveRead(statement);
    const ask = () => this.primary.send(statement, parameters, options, resolved !== undefined);
    if (!this.replicas || !resolved || options.primary) return ask();
    return this.#read(resolved, parameters, options, ask);
  }

  /** For reads of others, outside of transactions: TypeORM's, and those on a client of the pool. */
  answer(
    { statement, parameters, session }: TappedQuery,
    _client: Client,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> | undefined {
    if (!statement || !session.isIdle || session.isAltered || this.catalogue.version === 0) return undefined;
    const resolved = this.#resolveRead(statement);
    if (!resolved) return undefined;
    const ask = () =>
      send().catch((error: unknown) => {
        if (!isLost(error, session)) throw error;
        return this.primary.send(statement, parameters, {}, true);
      });
    return this.#read(resolved, parameters, {}, ask);
  }

  /** Whether it changes nothing, so that it may run a second time. */
  isRepeatable(statement: Statement): boolean {
    return this.#resolveRead(statement) !== undefined;
  }

  /** @returns undefined unless it changes nothing, so that it may run anywhere, and a second time */
  #resolveRead(statement: Statement): ResolvedStatement | undefined {
    if (statement.kind !== 'select' || statement.locksRows) return undefined;
    const resolved = this.catalogue.resolve(statement, this.searchPath());
    if (resolved.writes.length > 0 || resolved.unknownWrites) return undefined;
    return resolved.uncacheable.some((it) => it.code === 'VOLATILE_FUNCTION') ? undefined : resolved;
  }

  async #read(
    resolved: ResolvedStatement,
    parameters: readonly unknown[],
    options: RouteOptions,
    askPrimary: () => Promise<TappedResult>,
  ): Promise<TappedResult> {
    const { replicas } = this;
    if (!replicas || !isSameOnReplicas(resolved)) return askPrimary();
    const replica = replicas.choose(() => readTags(resolved, parameters));
    if (!replica) return askPrimary();
    try {
      return await replica.read((server) => server.send(resolved.statement, parameters, options, false));
    } catch (error) {
      if (isLimit(error) || options.signal?.aborted) throw error;
      // Gone, in conflict with what it replays, or behind in its schema: or wrong, as the primary will say too.
      replica.failed(error);
      replicas.bypass('FAILED');
      return askPrimary();
    }
  }
}

/** What reads no table asks about the server, or nothing. */
function isSameOnReplicas({ reads, uncacheable }: ResolvedStatement): boolean {
  return reads.length > 0 && uncacheable.every((it) => SAME_ON_REPLICAS.has(it.code));
}

function isLimit(error: unknown): boolean {
  return (
    error instanceof QueryTimeoutError || (error instanceof DatabaseError && error.code === QUERY_CANCELED)
  );
}

function isLost(error: unknown, session: Session): boolean {
  return error instanceof DatabaseError ? error.severity === 'FATAL' : !session.isConnected;
}
