import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Into the workspace, or out of it. */
export const SYNC_DIRECTIONS = ['import', 'export'] as const;
export type SyncDirection = (typeof SYNC_DIRECTIONS)[number];

export type SyncState = 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled';

/** How many files met what. */
export interface SyncCounts {
  /** Paths that were looked at, on both sides. */
  seen: number;
  copied: number;
  copiedBytes: number;
  deleted: number;
  /** The same on both sides. */
  equal: number;
  /** Only at the target, and kept: deletions were not asked for. */
  extra: number;
  conflicts: number;
  skipped: number;
}

/** A path that was not brought into step, and why. */
export interface SyncProblem {
  path: string;
  kind: 'conflict' | 'skipped';
  reason: string;
}

/** One run that mirrors a folder or bucket into a workspace, or back. Read only: `SyncStore` writes it. */
@Entity('storage_syncs')
export class StorageSync {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'pair_id' })
  pairId!: string;

  /** An absolute path, or `s3://bucket/prefix`. */
  @Column('text')
  source!: string;

  @Column('text')
  direction!: SyncDirection;

  /** Nothing is changed; the counts say what would be. */
  @Column('boolean', { name: 'dry_run' })
  dryRun!: boolean;

  @Column('boolean')
  deletes!: boolean;

  @Column('boolean')
  overwrites!: boolean;

  @Column('text')
  state!: SyncState;

  /** How many files the source has, about; null until they are counted. */
  @Column('integer', { nullable: true })
  expected!: number | null;

  @Column('jsonb')
  counts!: SyncCounts;

  /** The first hundred. */
  @Column('jsonb')
  problems!: SyncProblem[];

  /** Why it failed, for a person. */
  @Column('text', { nullable: true })
  error!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, nullable: true })
  startedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'ended_at', precision: 3, nullable: true })
  endedAt!: Date | null;
}
