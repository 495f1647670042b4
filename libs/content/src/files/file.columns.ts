import { type FileStatus } from './file-status.js';

/** What is known of a file. */
export interface FileSummary {
  id: string;
  /** Unique in the workspace; see `parseFilePath`. */
  path: string;
  /** The last segment of the path. */
  name: string;
  mediaType: string;
  sizeBytes: number;
  /** Of the content, lower-case hex. */
  sha256: string;
  status: FileStatus;
  /** Why the status is what it is, for a person; null when there is nothing to say. */
  statusDetail: string | null;
  /** Counts the contents that this path has had, from 1; a new media type, or a new try to read the text, counts. */
  revision: number;
  createdAt: Date;
  /** When the revision came. */
  updatedAt: Date;
}

export type FileField = keyof FileSummary;

/**
 * Where each field stands in SQL (table alias `f`). The size comes as float8, exact to 2^53, because the driver
 * gives bigint as text.
 */
const FILE_COLUMNS: Readonly<Record<FileField, string>> = {
  id: 'f.id',
  path: 'f.path',
  name: 'f.name',
  mediaType: 'f.media_type',
  sizeBytes: 'f.size_bytes::float8',
  sha256: 'f.sha256',
  status: 'f.status',
  statusDetail: 'f.status_detail',
  revision: 'f.revision',
  createdAt: 'f.created_at',
  updatedAt: 'f.updated_at',
};

export const FILE_FIELDS = Object.keys(FILE_COLUMNS) as [FileField, ...FileField[]];

/** A select list of the given fields. */
export function selectFields(fields: readonly FileField[]): string {
  return fields.map((field) => `${FILE_COLUMNS[field]} AS "${field}"`).join(', ');
}
