import { type Client } from 'pg';
import { type Statement } from '../analysis/statement.js';
import { type ConnectionGuard } from '../pool/pooled-connection.js';
import { type PoolOptionsInput } from '../pool/pool.options.js';
import { PriorityPool } from '../pool/priority-pool.js';
import { settingsStatement } from '../pool/session-settings.js';
import { type TappedResult } from '../tap/query-observer.js';
import { type QueryTap } from '../tap/query-tap.js';
import { type ExecuteOptions } from './execute-options.js';
import { withVariables } from './session-variables.js';
import { withTimeout } from './statement-timeout.js';

/** To what the login and the start of the session made it. */
const RESET = 'RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL';

export type SendOptions = Pick<ExecuteOptions, 'priority' | 'signal' | 'timeoutMs' | 'variables'>;

/** One PostgreSQL, the primary or a replica: the pool of its connections, with a tap on each. */
export class TappedServer {
  readonly pool: PriorityPool;

  /** @throws {InvalidPoolOptionsError} */
  constructor(
    options: PoolOptionsInput,
    private readonly tap: QueryTap,
  ) {
    this.pool = new PriorityPool(options, (client) => this.#guard(client));
  }

  /**
   * A statement of a caller's. Nobody but PostgreSQL answers it.
   *
   * @param isRead it only reads, so it is run once more when its connection was lost
   */
  send(
    statement: Statement,
    parameters: readonly unknown[],
    { timeoutMs, variables, priority, signal }: SendOptions,
    isRead: boolean,
  ): Promise<TappedResult> {
    const options = { priority, signal, isRead };
    // A policy must not look it up a second time, and wait for itself.
    if (timeoutMs === undefined && !variables)
      return this.pool.useBriefly((client) => this.tap.send(client, statement, parameters), options);
    return this.pool.use((client) => {
      const ask = () => this.tap.send(client, statement, parameters);
      const work = () => (variables ? withVariables(this.tap, client, variables, ask) : ask());
      return timeoutMs === undefined ? work() : withTimeout(this.pool, client, timeoutMs, work);
    }, options);
  }

  /** A statement of the library's own, ahead of all others. */
  async unseen(text: string, values?: readonly unknown[]): Promise<TappedResult['rows']> {
    using lease = await this.pool.acquire({ priority: 'high' });
    return (await this.tap.unseen(lease.client, text, values)).rows;
  }

  /** A connection for several statements of the library's own. */
  async unseenClient() {
    const lease = await this.pool.acquire({ priority: 'high' });
    return {
      query: (text: string) => this.tap.unseen(lease.client, text),
      release: (destroy?: boolean) =>
        lease.release(destroy ? new Error('The catalogue could not be read') : undefined),
    };
  }

  #guard(client: Client): ConnectionGuard {
    const session = this.tap.install(client);
    const settings = settingsStatement(this.pool.options.session);
    return {
      get isAltered() {
        return session.isAltered;
      },
      restore: async () => {
        await this.tap.unseen(client, RESET);
        if (settings) await this.tap.unseen(client, settings.text, settings.values);
        session.restored();
      },
    };
  }
}
