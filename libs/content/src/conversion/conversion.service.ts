import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Cache, type CacheNamespace } from '@peregrine/cache';
import { TaskQueue } from '@peregrine/task-queue';
import { createHash } from 'node:crypto';
import { CONTENT_OPTIONS, type ContentOptions } from '../content.options.js';
import { convertFile } from '../content.tasks.js';
import { FileContentService, type FileLocation } from '../files/file-content.service.js';
import { collect, streamOf } from '../storage/byte-streams.js';
import {
  type Conversion,
  type ConversionOptions,
  type ConversionTarget,
  sourceFormatOf,
  targetsOf,
} from './conversion-format.js';
import { ConversionTooLargeError, ConversionUnsupportedError } from './conversion.errors.js';
import { type ConversionJob, CONVERTER_VERSION } from './convert.js';
import { ConversionPool } from './pool/conversion-pool.js';

export interface ConversionRequest extends ConversionOptions {
  target: ConversionTarget;
}

/** The conversion, or the task that makes it. */
export type ConversionOutcome =
  { conversion: Conversion; taskId?: undefined } | { conversion?: undefined; taskId: string };

type Recipe = Omit<ConversionJob, 'bytes'>;

/**
 * Files in other formats. What was made once is cached by the hash of the content, the version of the converters and the
 * options, so that it is never stale; it goes with the content. Callers that miss together convert once.
 */
@Injectable()
export class ConversionService implements OnApplicationShutdown {
  readonly #cached: CacheNamespace;
  readonly #pool: ConversionPool;

  constructor(
    private readonly contents: FileContentService,
    private readonly tasks: TaskQueue,
    @Inject(CONTENT_OPTIONS) private readonly options: ContentOptions,
    cache: Cache,
  ) {
    this.#cached = cache.namespace('content');
    const { conversionThreads, conversionTimeoutMs, conversionProgram } = options;
    this.#pool = new ConversionPool({
      threads: conversionThreads,
      timeoutMs: conversionTimeoutMs,
      maxQueued: 100,
      memoryMib: 512,
      ...(conversionProgram && { program: conversionProgram }),
    });
  }

  /**
   * What the result is known by, before it is made: the same as long as content, converters and options are.
   *
   * @throws {ConversionUnsupportedError}
   */
  keyOf(file: FileLocation, request: ConversionRequest): string {
    const { format, target, options } = recipeOf(file, request);
    const recipe = JSON.stringify([file.sha256, CONVERTER_VERSION, format, target, options]);
    return createHash('sha256').update(recipe).digest('base64url');
  }

  /**
   * The conversion of a located file. That of a large one is made by a task, unless it is there already; a second call after
   * the end of the task has it. When no cache has kept what the task made, the call makes it.
   *
   * @throws {ConversionUnsupportedError} @throws {ConversionTooLargeError}
   * @throws {ConversionRefusedError} @throws {ConversionBusyError}
   */
  async request(
    workspaceId: string,
    file: FileLocation,
    request: ConversionRequest,
    signal?: AbortSignal,
  ): Promise<ConversionOutcome> {
    if (
      file.sizeBytes <= this.options.convertInTaskFromBytes ||
      file.sizeBytes > this.options.convertMaxBytes
    )
      return { conversion: await this.convert(file, request, signal) };
    const key = this.keyOf(file, request);
    const conversion = await this.#cached.get<Conversion>(cacheKey(key));
    if (conversion) return { conversion };
    const id = `${workspaceId}.${key}`;
    const status = await this.tasks.status(convertFile, id);
    if (status?.finishedAt) return { conversion: await this.convert(file, request, signal) };
    const payload = { workspaceId, fileId: file.id, ...request };
    return { taskId: (await this.tasks.submit(convertFile, payload, { id })).id };
  }

  /** As {@link request}, here and now whatever the size. */
  async convert(file: FileLocation, request: ConversionRequest, signal?: AbortSignal): Promise<Conversion> {
    const { convertMaxBytes } = this.options;
    const recipe = recipeOf(file, request);
    if (file.sizeBytes > convertMaxBytes) throw new ConversionTooLargeError(convertMaxBytes);
    return this.#cached.getOrSet(
      cacheKey(this.keyOf(file, request)),
      async (load) => {
        const bytes = await this.#bytesOf(file, load.signal);
        return this.#pool.run({ ...recipe, bytes }, load.signal);
      },
      { contentHashes: [file.sha256], ...(signal && { signal }) },
    );
  }

  onApplicationShutdown(): Promise<void> {
    return this.#pool.close();
  }

  async #bytesOf(file: FileLocation, signal: AbortSignal): Promise<Uint8Array> {
    if (file.sizeBytes === 0) return new Uint8Array();
    const body = await this.contents.open(file, undefined, signal);
    return collect(Buffer.isBuffer(body) ? streamOf(body) : body, this.options.convertMaxBytes);
  }
}

const cacheKey = (key: string) => `conversion:${key}`;

/** @throws {ConversionUnsupportedError} */
function recipeOf(
  file: FileLocation,
  { target, delimiter = 'auto', header = true }: ConversionRequest,
): Recipe {
  const format = sourceFormatOf(file);
  if (!format) {
    throw new ConversionUnsupportedError(
      `${file.mediaType} cannot be converted: Markdown, HTML and CSV can be, by media type or ending of the name`,
    );
  }
  const targets = targetsOf(format);
  if (!targets.includes(target))
    throw new ConversionUnsupportedError(`A ${format} file can be converted to ${targets.join(', ')}`);
  // What a format does not know of is no part of its key.
  return { format, target, options: format === 'csv' ? { delimiter, header } : {} };
}
