/** What is read. */
export interface FileRow {
  readonly id: number;
  /** How often it was written. */
  readonly version: number;
}

/** One way to ask PostgreSQL, as the benchmark drives it. */
export interface Subject {
  /** One row by its primary key. */
  readOne(id: number): Promise<FileRow | undefined>;
  /** The first files of a workspace. */
  readPage(workspaceId: number): Promise<readonly FileRow[]>;
  /** Counts the version of a file up. */
  write(id: number): Promise<unknown>;
  /** Reads that were answered from memory. */
  hits?(): number;
  close(): Promise<void>;
}

/** The same for all that speak SQL. */
export const READ_ONE = 'SELECT id, workspace_id, name, size_bytes, version FROM file WHERE id = $1';
export const READ_PAGE =
  'SELECT id, workspace_id, name, size_bytes, version FROM file WHERE workspace_id = $1 ORDER BY id LIMIT $2';
export const WRITE = 'UPDATE file SET version = version + 1 WHERE id = $1 AND workspace_id = $2';

/** How long results are kept, milliseconds: longer than a measurement. */
export const TTL_MS = 300_000;

export type Priority = 'high' | 'low';

/** A pool of connections. */
export interface PoolSubject {
  /** Runs the statement. @returns how long it waited for a connection, milliseconds */
  run(sql: string, priority: Priority): Promise<number>;
  close(): Promise<void>;
}
