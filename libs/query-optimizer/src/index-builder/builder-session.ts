import { type EventEmitter } from 'node:events';

import { type AdvisorClient, type AdvisorSource } from '../advisor/advisor.options.js';
import { IndexBuilderBusyError } from './index-builder.errors.js';

/** One lock for each database: PostgreSQL keeps advisory locks apart by database. */
const LOCK = [0x70657265, 0x69647800] as const;

/**
 * The one connection of a database that builds and drops. It holds the lock as long as it lives, so a builder that was
 * killed makes room by itself.
 */
export class BuilderSession {
  private constructor(
    readonly client: AdvisorClient,
    readonly processId: number,
    private readonly source: AdvisorSource,
  ) {}

  /** @throws {IndexBuilderBusyError} */
  static async with<T>(
    source: AdvisorSource,
    lockTimeoutMs: number,
    work: (session: BuilderSession) => Promise<T>,
  ): Promise<T> {
    const client = await source.connect();
    // pg tells of a lost connection by an event as well, which would end the process; the statement under way fails anyway.
    const emitter = client as Partial<Pick<EventEmitter, 'on' | 'off'>>;
    emitter.on?.('error', ignore);
    // A connection that is lost tells whoever waits for an answer, and nobody else.
    let isBroken = false;
    try {
      const { rows } = await client.query(
        'SELECT pg_try_advisory_lock($1, $2) AS locked, pg_backend_pid() AS pid',
        LOCK,
      );
      const { locked, pid } = rows[0] as { locked: boolean; pid: number };
      if (!locked) throw new IndexBuilderBusyError();
      // A build takes as long as it takes; what must end is waiting for others. Strings must be to the server what they are
      // to the grammar by which plans and statements were read.
      await client.query(
        `SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', $1, false),
                set_config('standard_conforming_strings', 'on', false)`,
        [`${Math.ceil(lockTimeoutMs)}ms`],
      );
      return await work(new BuilderSession(client, pid, source));
    } catch (error) {
      isBroken = true;
      throw error;
    } finally {
      // After a failure as well: closing lets the lock go too, but later than whoever asks next.
      isBroken = !(await endSession(client)) || isBroken;
      // After a failure it is closed: its settings and its lock end with it for certain. The event may come later still.
      if (!isBroken) emitter.off?.('error', ignore);
      client.release(isBroken);
    }
  }

  /** Asks on a connection beside this one, while this one is at work. */
  async beside(text: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    const client = await this.source.connect();
    let isBroken = true;
    try {
      const { rows } = await client.query(text, values);
      isBroken = false;
      return rows;
    } finally {
      client.release(isBroken);
    }
  }
}

const ignore = () => undefined;

/** @returns whether the connection is as it was before */
async function endSession(client: AdvisorClient): Promise<boolean> {
  try {
    await client.query('SELECT pg_advisory_unlock($1, $2)', LOCK);
    await client.query('RESET statement_timeout');
    await client.query('RESET lock_timeout');
    await client.query('RESET standard_conforming_strings');
    return true;
  } catch {
    // The caller closes it, and the server ends both.
    return false;
  }
}
