import { type Client } from 'pg';
import { type Statement } from '../analysis/statement.js';
import { type QueryAnswerer, type TappedQuery, type TappedResult } from '../tap/query-observer.js';
import { type ResultCache } from './result-cache.js';
import { type ResultScope } from './result-scope.js';

export interface CachedStatement {
  /** @default the option `cache.ttlMs` */
  readonly ttlMs?: number;
  readonly tags?: readonly string[];
}

/** Says which statements are cached without a word at the call site; undefined for the others. */
export type CachePolicy = (statement: Statement) => CachedStatement | undefined;

export interface CachedStatementsInput {
  readonly policy: CachePolicy | undefined;
  readonly ttlMs: number;
  scope(): ResultScope;
  isEnabled(statement: Statement): boolean;
}

/** Answers statements of any caller from the cache: those that a policy names, and those that were marked. */
export class CachedStatements implements QueryAnswerer {
  readonly #marked = new WeakMap<Client, CachedStatement & { readonly text: string }>();

  constructor(
    private readonly cache: ResultCache,
    private readonly input: CachedStatementsInput,
  ) {}

  /** The next statement on the connection is to be cached, if it has this text. */
  mark(client: Client, text: string, options: CachedStatement): void {
    this.#marked.set(client, { ...options, text });
  }

  answer(
    { statement, parameters, session, text }: TappedQuery,
    client: Client,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> | undefined {
    const marked = this.#marked.get(client);
    if (marked) this.#marked.delete(client);
    if (statement?.kind !== 'select') return undefined;
    const options = marked?.text === text ? marked : this.input.policy?.(statement);
    if (!options || !this.input.isEnabled(statement)) return undefined;
    // A transaction reads its own writes, or what was before it began; so does what is sent behind a statement.
    if (!session.isIdle || session.isAltered) {
      this.cache.bypass(session.isIdle ? 'SESSION_CHANGED' : 'TRANSACTION');
      return undefined;
    }
    return this.#answer(statement, parameters, options, send);
  }

  async #answer(
    statement: Statement,
    parameters: readonly unknown[],
    { ttlMs = this.input.ttlMs, tags }: CachedStatement,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> {
    const request = { statement, parameters, scope: this.input.scope(), ttlMs, tags };
    const { rows } = await this.cache.getOrLoad(request, async () => (await send()).rows);
    return { command: 'SELECT', rowCount: rows.length, rows, fields: [] };
  }
}
