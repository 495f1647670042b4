import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Readable } from 'node:stream';
import { parseFilePath } from '../../files/file-path.js';
import { createS3Client } from '../../storage/s3-storage.js';
import { errorName, storageFault } from '../../storage/storage-fault.js';
import type { S3ConnectionOptions } from '../../storage/storage.options.js';
import { SyncFileChangedError, SyncFileProblem } from '../sync.errors.js';
import type { OnSkip, SyncTree, TreeFile } from './sync-tree.js';

/** The objects of a bucket below a prefix. An object's version is its ETag: another content, another ETag. */
export class BucketTree implements SyncTree {
  readonly #client: S3Client;

  /**
   * @param options of the server
   * @param prefix empty, or ends in `/`
   */
  constructor(
    private readonly options: S3ConnectionOptions,
    private readonly bucket: string,
    private readonly prefix: string,
  ) {
    this.#client = createS3Client(options);
  }

  async *list(onSkip: OnSkip): AsyncIterable<TreeFile> {
    for await (const { Key = '', Size = 0, ETag = '' } of this.#objects()) {
      const path = Key.slice(this.prefix.length);
      const refusal = refusalOf(path);
      if (refusal !== undefined) onSkip(path, refusal);
      else yield { path, location: Key, sizeBytes: Size, version: ETag, isSettled: ETag !== '' };
    }
  }

  async count(): Promise<number> {
    let objects = 0;
    for await (const { length } of this.#pages()) objects += length;
    return objects;
  }

  async open({ location: Key, version }: TreeFile): Promise<Readable> {
    try {
      const { Body, ETag } = await this.#client.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
      if (!(Body instanceof Readable)) throw new SyncFileProblem('The server gives no content');
      if (ETag === version) return Body;
      Body.destroy();
    } catch (error) {
      if (errorName(error) === 'NoSuchKey') throw new SyncFileProblem('It is gone', { cause: error });
      if (error instanceof SyncFileProblem) throw error;
      throw storageFault('s3', 'read', error);
    }
    throw new SyncFileChangedError();
  }

  async write(path: string, body: Readable): Promise<TreeFile> {
    const { partBytes, concurrentParts } = this.options;
    const Bucket = this.bucket;
    const Key = `${this.prefix}${path}`;
    try {
      const params = { Bucket, Key, Body: body };
      await new Upload({
        client: this.#client,
        params,
        partSize: partBytes,
        queueSize: concurrentParts,
      }).done();
      const { ContentLength = 0, ETag = '' } = await this.#client.send(
        new HeadObjectCommand({ Bucket, Key }),
      );
      return { path, location: Key, sizeBytes: ContentLength, version: ETag, isSettled: ETag !== '' };
    } catch (error) {
      throw body.errored ?? storageFault('s3', 'write', error);
    } finally {
      body.destroy();
    }
  }

  async remove({ location: Key }: TreeFile): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }));
    } catch (error) {
      throw storageFault('s3', 'delete', error);
    }
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  async *#objects() {
    for await (const page of this.#pages()) yield* page;
  }

  async *#pages() {
    let token: string | undefined;
    do {
      const page = await this.#page(token);
      yield page.Contents ?? [];
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token);
  }

  async #page(ContinuationToken: string | undefined) {
    try {
      return await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.bucket, Prefix: this.prefix, ContinuationToken }),
      );
    } catch (error) {
      throw storageFault('s3', 'list', error);
    }
  }
}

function refusalOf(path: string): string | undefined {
  if (path === '' || path.endsWith('/')) return 'The mark of a folder';
  try {
    return parseFilePath(path) === path ? undefined : 'The name is not in Unicode NFC, or begins with "/"';
  } catch (error) {
    return (error as Error).message;
  }
}
