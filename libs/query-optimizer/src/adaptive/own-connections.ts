import { Client, type ClientConfig } from 'pg';

import { type AdvisorClient, type AdvisorSource } from '../advisor/advisor.options.js';
import { type PoolOptions } from '../pool/pool.options.js';
import { settingsStatement } from '../pool/session-settings.js';

/**
 * A connection for each time that somebody asks for one, closed when it is given back: what builds indexes holds it for long, must
 * not be counted as the application's, and takes none of the pool's. Planned by the same settings as the application's.
 */
export class OwnConnections implements AdvisorSource {
  constructor(
    private readonly pool: Pick<
      PoolOptions,
      'connectionString' | 'applicationName' | 'connectTimeoutMs' | 'session'
    >,
  ) {}

  /** @throws the driver's error */
  async connect(): Promise<AdvisorClient> {
    const client = new Client(this.#config());
    // Whoever asks it next is told.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const settings = settingsStatement(this.pool.session);
      if (settings) await client.query(settings);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return {
      query: (query, values) => client.query(query, values as unknown[] | undefined),
      release: () => void client.end().catch(() => undefined),
    };
  }

  #config(): ClientConfig {
    const { connectionString, applicationName, connectTimeoutMs } = this.pool;
    return {
      connectionString,
      application_name: `${applicationName} indexes`.slice(0, 63),
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
    };
  }
}
