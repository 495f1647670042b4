import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { addAbortSignal, Readable } from 'node:stream';
import { CacheError, ObjectStoreError } from '../../cache.errors.js';
import { streamOf, toBuffer } from '../byte-streams.js';
import {
  assertObjectMetadata,
  KEPT_PREFIX,
  type FoundObject,
  type ObjectGetOptions,
  type ObjectHead,
  type ObjectMetadata,
  type ObjectPutOptions,
  type ObjectStore,
} from '../object-store.js';
import { steadyClock } from '../steady-clock.js';
import { fromS3Metadata, toS3Metadata } from './s3-metadata.js';
import { nameOf, namePrefixOf } from './s3-name.js';
import { parseS3StoreOptions, type ParsedS3StoreOptions, type S3StoreOptions } from './s3-store.options.js';

/** Names that one request may delete, as S3 has it. */
const DELETE_BATCH = 1_000;
const CONCURRENT_PARTS = 2;

/** Of the answers about an object. */
type Answer = Pick<GetObjectCommandOutput & HeadObjectCommandOutput, 'ContentLength' | 'ETag' | 'Metadata'>;

/**
 * Objects in a bucket of an S3-compatible server with strong consistency (AWS since December 2020, and the usual
 * servers).
 *
 * Expired objects are missing at once, but stay in the bucket and cost: give it a lifecycle rule that expires
 * `<prefix>` after a day or more, and one that aborts incomplete multipart uploads, which a crash leaves behind. What
 * is below `<prefix>kept%2F` must stay at least an hour longer than the longest entry.
 */
export class S3Store implements ObjectStore {
  readonly #options: ParsedS3StoreOptions;
  readonly #client: S3Client;
  readonly #now: () => number;

  /** @throws {CacheOptionsError} */
  constructor(options: S3StoreOptions) {
    this.#options = parseS3StoreOptions(options);
    this.#client = this.#options.client ?? createClient(this.#options);
    this.#now = this.#options.now ?? steadyClock();
  }

  /** @throws {ObjectMetadataError} @throws {ObjectTooLargeError} @throws {ObjectStoreError} */
  async put(
    key: string,
    body: Readable | Uint8Array,
    metadata: ObjectMetadata = {},
    { ttlMs, signal }: ObjectPutOptions = {},
  ): Promise<void> {
    const stream = body instanceof Readable ? body : undefined;
    // A body that fails while no one reads it yet must not end the process; the upload sees the failure.
    stream?.on('error', () => undefined);
    try {
      assertObjectMetadata(metadata);
      const expiresAt = ttlMs === undefined ? Infinity : Math.ceil(this.#now() + ttlMs);
      const target = { ...this.#target(key), Metadata: toS3Metadata(metadata, expiresAt) };
      await this.#guard('write', signal, async () => {
        if (body instanceof Readable) return this.#upload(target, body, signal);
        const command = new PutObjectCommand({ ...target, Body: body });
        await this.#client.send(command, { abortSignal: signal });
      });
    } catch (error) {
      stream?.destroy();
      throw error;
    }
  }

  /** @throws {ObjectStoreError} */
  async get(
    key: string,
    { ifNoneMatch, signal }: ObjectGetOptions = {},
  ): Promise<FoundObject | 'not-modified' | undefined> {
    return this.#guard('read', signal, async () => {
      const IfNoneMatch = ifNoneMatch === undefined ? undefined : `"${ifNoneMatch}"`;
      const command = new GetObjectCommand({ ...this.#target(key), IfNoneMatch });
      const answer = await this.#ask(() => this.#client.send(command, { abortSignal: signal }));
      // Without a body the server does not tell the expiry either.
      if (answer === 'not-modified') return (await this.head(key, { signal })) && 'not-modified';
      if (!(answer?.Body instanceof Readable)) return undefined;
      const found = this.#describe(key, answer);
      if (found !== undefined && found.etag !== ifNoneMatch) {
        const body = signal === undefined ? answer.Body : addAbortSignal(signal, answer.Body);
        return { ...found, body };
      }
      answer.Body.destroy();
      return found && 'not-modified';
    });
  }

  /** @throws {ObjectStoreError} */
  async head(
    key: string,
    { signal }: Pick<ObjectGetOptions, 'signal'> = {},
  ): Promise<ObjectHead | undefined> {
    return this.#guard('read', signal, async () => {
      const command = new HeadObjectCommand(this.#target(key));
      const answer = await this.#ask(() => this.#client.send(command, { abortSignal: signal }));
      return answer === undefined || answer === 'not-modified' ? undefined : this.#describe(key, answer);
    });
  }

  /** One request for each 1,000 keys. @throws {ObjectStoreError} */
  async delete(keys: readonly string[]): Promise<void> {
    const { prefix } = this.#options;
    await this.#guard('delete', undefined, () => this.#deleteNames(keys.map((key) => prefix + nameOf(key))));
  }

  /**
   * Two requests for each 1,000 objects.
   * @param prefix up to 100 bytes in the form of `encodeURIComponent`
   * @throws {ObjectTooLargeError} @throws {ObjectStoreError}
   */
  async clear(prefix: string): Promise<number> {
    const Prefix = this.#options.prefix + namePrefixOf(prefix);
    return this.#guard('clear', undefined, async () => {
      let cleared = 0;
      let ContinuationToken: string | undefined;
      do {
        const page = await this.#client.send(
          new ListObjectsV2Command({ Bucket: this.#options.bucket, Prefix, ContinuationToken }),
        );
        const names = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
        await this.#deleteNames(names);
        cleared += names.length;
        ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
      return cleared;
    });
  }

  /** Undefined: only the server knows. */
  stats(): undefined {
    return undefined;
  }

  /** Closes the connections, unless the client was given. */
  close(): Promise<void> {
    if (this.#options.client === undefined) this.#client.destroy();
    return Promise.resolve();
  }

  #target(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#options.prefix + nameOf(key) };
  }

  /** One request for up to a part, else a multipart upload, with three parts in memory. */
  async #upload(
    target: { readonly Bucket: string; readonly Key: string },
    source: Readable,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (signal !== undefined) addAbortSignal(signal, source);
    let failure: unknown;
    // Through `Upload` a failed request would be noticed only with the next part, which may never come.
    const send = async (command: PutObjectCommand) => {
      try {
        return await this.#client.send(command);
      } catch (error) {
        failure ??= error;
        source.destroy();
        throw error;
      }
    };
    const client = Object.assign(Object.create(this.#client) as S3Client, { send });
    const upload = new Upload({
      client,
      params: { ...target, Body: streamOf(bytesOf(source)) },
      partSize: this.#options.partBytes,
      queueSize: CONCURRENT_PARTS,
    });
    try {
      await upload.done();
    } catch (error) {
      throw failure ?? source.errored ?? error;
    }
  }

  #describe(key: string, { ContentLength = 0, ETag = '', Metadata }: Answer): ObjectHead | undefined {
    const { metadata, expiresAt } = fromS3Metadata(Metadata);
    if (expiresAt <= this.#now() && !key.startsWith(KEPT_PREFIX)) return undefined;
    return { size: ContentLength, etag: ETag.replace(/^(?:W\/)?"|"$/g, ''), metadata };
  }

  async #ask<T>(request: () => Promise<T>): Promise<T | 'not-modified' | undefined> {
    try {
      return await request();
    } catch (error) {
      const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
      if ($metadata?.httpStatusCode === 304) return 'not-modified';
      // Not by the status: a missing bucket is a 404 too.
      if (name === 'NoSuchKey' || name === 'NotFound') return undefined;
      throw error;
    }
  }

  async #deleteNames(names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length; from += DELETE_BATCH) {
      const Objects = names.slice(from, from + DELETE_BATCH).map((Key) => ({ Key }));
      const { Errors: [problem] = [] } = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.#options.bucket, Delete: { Objects, Quiet: true } }),
      );
      if (problem !== undefined) throw new Error(`${problem.Code}: ${problem.Message}`);
    }
  }

  async #guard<T>(operation: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await run();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CacheError) throw error;
      throw new ObjectStoreError('s3', operation, { cause: error });
    }
  }
}

/** Whatever the chunks of a source are. */
async function* bytesOf(source: Readable): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) yield toBuffer(chunk);
}

function createClient(options: ParsedS3StoreOptions): S3Client {
  const agent = { keepAlive: true, maxSockets: options.maxSockets };
  return new S3Client({
    region: options.region,
    endpoint: options.endpoint,
    forcePathStyle: options.forcePathStyle,
    credentials: options.credentials,
    maxAttempts: options.maxAttempts,
    // By itself the SDK adds checksums that many compatible servers do not understand.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs,
      socketTimeout: options.idleTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}
