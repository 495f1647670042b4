import { EventEmitter } from 'node:events';
import pg from 'pg';
import { type Lease } from '../pool/lease.js';
import { type PriorityPool } from '../pool/priority-pool.js';

type Release = (error?: Error | boolean) => void;
type Connected = (error: Error | undefined, client?: pg.Client, release?: Release) => void;

/** What TypeORM calls of pg's pool. It belongs to the pool's owner, so ending it ends nothing. */
class SharedPool extends EventEmitter {
  constructor(private readonly pool: PriorityPool) {
    super();
  }

  connect(callback: Connected): void {
    this.pool.acquire().then(
      (lease) => callback(undefined, lease.client, releaseOf(lease)),
      (error: Error) => callback(error),
    );
  }

  end(callback: (error?: Error) => void): void {
    callback();
  }
}

/**
 * TypeORM's `driver` option: its query runners take their connections from this pool, with the priority of the
 * caller, instead of from one of their own.
 *
 * @example new DataSource({ type: 'postgres', url, driver: poolDriver(pool) })
 */
export function poolDriver(pool: PriorityPool): object {
  // TypeORM makes its pool with `new`; a constructor that returns an object makes that object.
  const Pool = function () {
    return new SharedPool(pool);
  };
  return { ...pg, Pool };
}

function releaseOf(lease: Lease): Release {
  return (error) => lease.release(error === true ? new Error('TypeORM gave it up') : error || undefined);
}
