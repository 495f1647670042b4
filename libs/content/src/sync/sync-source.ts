import { isAbsolute, normalize } from 'node:path';
import type { ContentOptions } from '../content.options.js';
import { SyncSourceError } from './sync.errors.js';
import { BucketTree } from './trees/bucket-tree.js';
import { FolderTree } from './trees/folder-tree.js';
import type { SyncTree } from './trees/sync-tree.js';

/** The longest name of a folder or bucket, characters. */
export const MAX_SOURCE_LENGTH = 2_048;

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/** The one spelling of a folder (`/absolute/path`) or of a part of a bucket (`s3://bucket/prefix/`). */
export function normalizeSource(source: string): string {
  const [, bucket, prefix = ''] = BUCKET.exec(source) ?? [];
  if (bucket !== undefined) return `s3://${bucket}/${prefix.replace(/^\/+|\/+$/g, '')}`;
  if (source.length > MAX_SOURCE_LENGTH || !isAbsolute(source) || source.includes('\0'))
    throw new SyncSourceError('The source must be an absolute path or s3://bucket/prefix');
  return normalize(source).replace(/(?<=.)\/+$/, '');
}

/**
 * Opens a folder or bucket, if the options allow it.
 *
 * @param source as {@link normalizeSource} gives it
 * @throws {SyncSourceError}
 */
export async function openTree(
  source: string,
  { roots, buckets, s3 }: Pick<ContentOptions['sync'], 'roots' | 'buckets' | 's3'>,
): Promise<SyncTree> {
  const [, bucket, prefix = ''] = BUCKET.exec(source) ?? [];
  if (bucket === undefined) return FolderTree.open(source, roots);
  if (!s3 || !buckets.includes(bucket))
    throw new SyncSourceError(
      `The bucket ${bucket} is not among CONTENT_SYNC_BUCKETS, or there is no S3 server`,
    );
  return new BucketTree(s3, bucket, prefix === '' ? '' : `${prefix}/`);
}
