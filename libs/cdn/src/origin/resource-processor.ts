import { AcceptedCodings, type Coding } from '../http/accept-encoding.js';
import { mediaTypeOf, type Policy, type PolicyTable } from '../policy/policy-table.js';
import { compress, etagOf } from './coded-content.js';
import type { OriginOptions } from './origin.options.js';

/** A content as it is to be sent. */
export interface ProcessedResource {
  readonly content: Buffer;
  readonly coding: Coding;
  /** Type, length, coding, strong tag, and the caching headers of the policy. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Bound of compressed contents that are kept, bytes. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Delivers contents that are no files as the origin delivers files: generated pages, answers of other services. */
export class ResourceProcessor {
  readonly #accepted = new AcceptedCodings();
  readonly #compressed = new Map<string, Buffer>();
  #bytes = 0;

  constructor(
    private readonly policies: PolicyTable,
    private readonly options: OriginOptions['compression'],
  ) {}

  /**
   * Compresses the content as the client wants it and makes its headers. What was compressed once is kept.
   *
   * @param path decides type and policy
   * @param acceptEncoding the request header; undefined when there is none
   */
  async processResource(
    content: Buffer | string,
    path: string,
    acceptEncoding: string | undefined,
  ): Promise<ProcessedResource> {
    const bytes = Buffer.from(content);
    const policy = this.policies.policyFor(path);
    const coding = this.#codingFor(bytes, path, policy, acceptEncoding);
    if (coding === 'identity') return this.#describe(bytes, coding, path, policy);
    const coded = await this.#compress(coding, bytes);
    return coded.length < bytes.length
      ? this.#describe(coded, coding, path, policy)
      : this.#describe(bytes, 'identity', path, policy);
  }

  #codingFor(
    bytes: Buffer,
    path: string,
    { isNegotiable }: Policy,
    acceptEncoding: string | undefined,
  ): 'br' | 'gzip' | 'identity' {
    const { enabled, minBytes } = this.options;
    const isEnabled = typeof enabled === 'function' ? enabled(path) : enabled;
    if (!isNegotiable || !isEnabled || bytes.length < minBytes) return 'identity';
    const [coding = 'identity'] = this.#accepted.of(acceptEncoding).filter((it) => it !== 'zstd');
    return coding;
  }

  async #compress(coding: 'br' | 'gzip', bytes: Buffer): Promise<Buffer> {
    const key = `${coding} ${etagOf(bytes)}`;
    const known = this.#compressed.get(key);
    if (known) return known;
    const coded = await compress(coding, bytes, this.options);
    if (coded.length <= MOST_BYTES && !this.#compressed.has(key)) {
      this.#compressed.set(key, coded);
      this.#bytes += coded.length;
      this.#makeRoom();
    }
    return coded;
  }

  /** The oldest first. */
  #makeRoom(): void {
    for (const [key, coded] of this.#compressed) {
      if (this.#bytes <= MOST_BYTES) return;
      this.#compressed.delete(key);
      this.#bytes -= coded.length;
    }
  }

  #describe(content: Buffer, coding: Coding, path: string, policy: Policy): ProcessedResource {
    return {
      content,
      coding,
      headers: {
        'Content-Type': mediaTypeOf(path),
        'Content-Length': String(content.length),
        ETag: etagOf(content),
        ...(coding === 'identity' ? {} : { 'Content-Encoding': coding }),
        ...Object.fromEntries(policy.headers),
      },
    };
  }
}
