import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import { type FileStatus } from './file-status.js';

/** A file of a workspace. Read only: what writes a file writes several tables, in SQL of its own. */
@Entity('files')
export class WorkspaceFile {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  /** Unique in the workspace; see `parseFilePath`. */
  @Column('text')
  path!: string;

  /** The last segment of the path. */
  @Column('text')
  name!: string;

  @Column('text', { name: 'media_type' })
  mediaType!: string;

  /** The driver gives a bigint as text; a number is exact to 2^53. */
  @Column({ type: 'bigint', name: 'size_bytes', transformer: { from: Number, to: String } })
  sizeBytes!: number;

  /** Of the content, lower-case hex. */
  @Column('text')
  sha256!: string;

  @Column('text')
  status!: FileStatus;

  /** Why the status is what it is, for a person; null when there is nothing to say. */
  @Column('text', { name: 'status_detail', nullable: true })
  statusDetail!: string | null;

  /** Counts the contents that this path has had, from 1; a new media type, or a new try to read the text, counts. */
  @Column('integer')
  revision!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  /** When the revision came. Not TypeORM's to set. */
  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;
}

/** What is known of a file. */
export type FileSummary = Omit<WorkspaceFile, 'workspaceId'>;

export type FileField = keyof FileSummary;

const FIELDS: Readonly<Record<FileField, true>> = {
  id: true,
  path: true,
  name: true,
  mediaType: true,
  sizeBytes: true,
  sha256: true,
  status: true,
  statusDetail: true,
  revision: true,
  createdAt: true,
  updatedAt: true,
};

export const FILE_FIELDS = Object.keys(FIELDS) as [FileField, ...FileField[]];
