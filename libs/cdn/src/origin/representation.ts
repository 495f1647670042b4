import type { Coding } from '../http/accept-encoding.js';
import type { Policy } from '../policy/policy-table.js';
import { HeaderBlock } from './header-block.js';
import type { LocatedFile } from './file-locator.js';
import type { OriginOptions } from './origin.options.js';

/** Bytes that an entry in memory takes beside its content: headers, names, objects. */
const OVERHEAD_BYTES = 2_048;

/** One coding of a resource, with the header lines of its answers made in advance. */
export interface Representation {
  readonly coding: Coding;
  readonly sizeBytes: number;
  /** Undefined when the options switch it off. */
  readonly etag: string | undefined;
  /** The content when it is kept in memory. */
  readonly bytes: Buffer | undefined;
  /** Where to read it when it is not. */
  readonly file: LocatedFile | undefined;
  /** Of a 200, names and values in turn. */
  readonly fullHeaders: string[];
  /** Undefined when the options switch it off. */
  readonly fullBlock: HeaderBlock | undefined;
  /** Of a 304. */
  readonly notModifiedHeaders: string[];
  readonly notModifiedBlock: HeaderBlock | undefined;
  /** Of a 206; Content-Type, Content-Length and Content-Range are missing. */
  readonly partialHeaders: string[];
}

/** A file as it is served: all that the answers to a request need. */
export interface Resource {
  readonly file: LocatedFile;
  readonly policy: Policy;
  readonly mediaType: string;
  /** Undefined when the options switch it off. Milliseconds, of a whole second. */
  readonly lastModifiedMs: number | undefined;
  /** Whether answers depend on Accept-Encoding. */
  readonly isNegotiable: boolean;
  readonly identity: Representation;
  /** Made when they are first asked for; null where there is none. */
  readonly codings: Map<Coding, Representation | null>;
}

type HeaderOptions = Pick<
  OriginOptions,
  'acceptRanges' | 'etag' | 'lastModified' | 'cacheControl' | 'compression' | 'preparedHeads'
>;

export interface RepresentationContent {
  readonly coding: Coding;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly bytes?: Buffer;
  readonly file?: LocatedFile;
}

export interface ResourceFacts {
  readonly policy: Policy;
  readonly mediaType: string;
  readonly lastModifiedMs: number | undefined;
}

/** Makes the header lines once, so that an answer from memory only has to send them. */
export class HeaderBlocks {
  constructor(private readonly options: HeaderOptions) {}

  represent(content: RepresentationContent, facts: ResourceFacts): Representation {
    const { coding, sizeBytes, bytes, file } = content;
    const etag = this.options.etag ? content.etag : undefined;
    const partialHeaders = [
      ...this.#validators(etag, facts.lastModifiedMs),
      ...(this.options.acceptRanges ? ['Accept-Ranges', 'bytes'] : []),
      ...(coding === 'identity' ? [] : ['Content-Encoding', coding]),
      ...this.policyHeaders(facts.policy),
    ];
    const fullHeaders = [
      'Content-Type',
      facts.mediaType,
      'Content-Length',
      String(sizeBytes),
      ...partialHeaders,
    ];
    // What a cache updates its entry with; without a tag the date is the validator.
    const notModifiedHeaders = [
      ...this.#validators(etag, etag === undefined ? facts.lastModifiedMs : undefined),
      ...this.#cachingHeaders(facts.policy),
    ];
    return {
      coding,
      sizeBytes,
      etag,
      bytes,
      file,
      partialHeaders,
      fullHeaders,
      fullBlock: this.#prepared(200, fullHeaders),
      notModifiedHeaders,
      notModifiedBlock: this.#prepared(304, notModifiedHeaders),
    };
  }

  /** Whether answers depend on Accept-Encoding. */
  isNegotiable(policy: Policy): boolean {
    return policy.isNegotiable && this.options.compression.enabled !== false;
  }

  /** Headers of the policy that hold for failures too: what they vary by, and how a browser treats them. */
  policyHeaders(policy: Policy): string[] {
    const caching = new Set(['Cache-Control', 'CDN-Cache-Control', 'Vary']);
    return [...this.#cachingHeaders(policy), ...policy.headers.filter(([name]) => !caching.has(name)).flat()];
  }

  #cachingHeaders(policy: Policy): string[] {
    const { cacheControl } = this.options;
    const vary = this.isNegotiable(policy) ? ['Vary', 'Accept-Encoding'] : [];
    if (cacheControl === false) return vary;
    if (cacheControl !== undefined) return ['Cache-Control', cacheControl, ...vary];
    return ['Cache-Control', policy.cacheControl, 'CDN-Cache-Control', policy.cdnCacheControl, ...vary];
  }

  #prepared(status: number, headers: readonly string[]): HeaderBlock | undefined {
    return this.options.preparedHeads ? new HeaderBlock(status, headers) : undefined;
  }

  #validators(etag: string | undefined, lastModifiedMs: number | undefined): string[] {
    return [
      ...(etag === undefined ? [] : ['ETag', etag]),
      ...(lastModifiedMs === undefined ? [] : ['Last-Modified', new Date(lastModifiedMs).toUTCString()]),
    ];
  }
}

/** Strong enough for large files, whose content is not read in advance; the same on every machine with the same files. */
export function statEtagOf({ sizeBytes, mtimeNs }: LocatedFile): string {
  return `"${sizeBytes.toString(36)}-${mtimeNs.toString(36)}"`;
}

/** Memory that a representation takes, bytes. */
export function memoryBytesOf({ bytes }: Representation): number {
  return OVERHEAD_BYTES + (bytes?.length ?? 0);
}
