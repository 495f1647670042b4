import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  S3Client,
  type GetObjectCommandOutput,
  type PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { addAbortSignal, Readable } from 'node:stream';
import { assertRange, slice } from './byte-streams.js';
import type { ByteRange, ListedObject, StorageCallOptions, StorageDriver } from './storage-driver.js';
import { errorName, storageFault } from './storage-fault.js';
import { assertStorageKey, isStorageKey } from './storage-key.js';
import { StorageObjectNotFoundError, StorageRangeError } from './storage.errors.js';
import type { S3ConnectionOptions, S3StorageOptions } from './storage.options.js';

const MISSING = new Set(['NoSuchKey', 'NotFound']);

/**
 * Objects in a bucket of an S3-compatible server.
 *
 * A body of up to one part is one request; a longer one is a multipart upload, with at most
 * `concurrentParts + 1` parts in memory. An upload that fails is aborted at the server. A crash of the process in
 * the middle leaves its parts there, invisible: give the bucket a lifecycle rule that aborts incomplete uploads.
 */
export class S3Storage implements StorageDriver {
  readonly name = 's3';
  readonly #options: S3StorageOptions;
  readonly #client: S3Client;

  constructor(options: S3StorageOptions) {
    this.#options = options;
    this.#client = createS3Client(options);
  }

  async write(key: string, body: Readable, options: StorageCallOptions = {}): Promise<void> {
    const { bucket: Bucket, concurrentParts, partBytes } = this.#options;
    const Key = this.#objectKey(key);
    if (options.signal) addAbortSignal(options.signal, body);
    // A body that fails while no one reads it yet must not end the process; the upload sees the failure.
    body.on('error', () => undefined);
    let refusal: unknown;
    const client = this.#watched((error) => {
      // After the body has failed, only the clean-up of the upload can fail: the body is the reason then.
      if (body.destroyed && !body.readableEnded) return;
      refusal ??= error;
      body.destroy();
    });
    try {
      // The signal ends the body, not the upload: so the abort of the upload at the server is awaited.
      const params = { Bucket, Key, Body: body };
      await new Upload({ client, params, partSize: partBytes, queueSize: concurrentParts }).done();
    } catch (error) {
      body.destroy();
      if (refusal === undefined) throw body.errored ?? error;
      await this.#deleteUncertain(key, refusal);
      throw storageFault(this.name, 'write', refusal);
    }
  }

  async read(key: string, range?: ByteRange, options: StorageCallOptions = {}): Promise<Readable> {
    const Key = this.#objectKey(key);
    if (range) assertRange(range);
    const answer = await this.#get(key, Key, range, options.signal);
    if (!(answer.Body instanceof Readable)) throw storageFault(this.name, 'read', new Error('No body'));
    const body = options.signal ? addAbortSignal(options.signal, answer.Body) : answer.Body;
    return range ? exactRange(body, answer, range) : body;
  }

  async delete(key: string): Promise<void> {
    const Key = this.#objectKey(key);
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#options.bucket, Key }));
    } catch (error) {
      if (!isMissing(error)) throw storageFault(this.name, 'delete', error);
    }
  }

  async *list(): AsyncIterable<ListedObject> {
    const { prefix } = this.#options;
    let token: string | undefined;
    do {
      const page = await this.#listPage(token);
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        const key = Key.slice(prefix.length);
        // Whatever else lies in the bucket is not ours to list, and so not ours to sweep.
        if (!isStorageKey(key) || !LastModified) continue;
        yield { key, sizeBytes: Size, modifiedAt: LastModified };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token);
  }

  async check(signal?: AbortSignal): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.#options.bucket }), {
        abortSignal: signal,
      });
    } catch (error) {
      throw storageFault(this.name, 'answer', error);
    }
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  #objectKey(key: string): string {
    assertStorageKey(key);
    return `${this.#options.prefix}${key}`;
  }

  /** The client for an upload. `Upload` itself ends only when the body gives more or ends, which may be never. */
  #watched(onFailure: (error: unknown) => void): S3Client {
    const send = async (command: PutObjectCommand) => {
      try {
        return await this.#client.send(command);
      } catch (error) {
        onFailure(error);
        throw error;
      }
    };
    return Object.assign(Object.create(this.#client) as S3Client, { send });
  }

  async #get(
    key: string,
    Key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<GetObjectCommandOutput> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    try {
      return await this.#client.send(new GetObjectCommand({ Bucket: this.#options.bucket, Key, Range }), {
        abortSignal: signal,
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (isMissing(error)) throw new StorageObjectNotFoundError(this.name, key, { cause: error });
      if (range && errorName(error) === 'InvalidRange') throw new StorageRangeError(range, { cause: error });
      throw storageFault(this.name, 'read', error);
    }
  }

  async #listPage(ContinuationToken: string | undefined) {
    const { bucket: Bucket, prefix: Prefix } = this.#options;
    try {
      return await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
    } catch (error) {
      throw storageFault(this.name, 'list', error);
    }
  }

  /** A write without an answer may have happened all the same. */
  async #deleteUncertain(key: string, error: unknown): Promise<void> {
    try {
      await this.delete(key);
    } catch (cleanUpError) {
      // The storage is gone altogether: the sweep of orphans deletes the object, if there is one.
      throw storageFault(this.name, 'write', error, new AggregateError([error, cleanUpError]));
    }
  }
}

/** A client with the timeouts and limits of the options; whoever makes it destroys it. */
export function createS3Client(options: S3ConnectionOptions): S3Client {
  const { accessKeyId, secretAccessKey, maxSockets } = options;
  return new S3Client({
    region: options.region,
    endpoint: options.endpoint,
    forcePathStyle: options.forcePathStyle,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    maxAttempts: options.maxAttempts,
    // The SDK's own default adds checksums that many compatible servers do not understand.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: options.idleTimeoutMs,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
  });
}

/** Some servers answer with more than was asked for: the whole object, or the rest of it. */
function exactRange(body: Readable, answer: GetObjectCommandOutput, range: ByteRange): Readable {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)/.exec(answer.ContentRange ?? '') ?? [];
  const sizeBytes = total === undefined ? answer.ContentLength : Number(total);
  if (sizeBytes !== undefined && sizeBytes <= range.start) {
    body.destroy();
    throw new StorageRangeError(range);
  }
  if (Number(first) === range.start && Number(last) <= range.end) return body;
  return slice(body, range.start - Number(first ?? 0), range.end - range.start + 1);
}

function isMissing(error: unknown): boolean {
  return MISSING.has(errorName(error) ?? '');
}
