import type { OriginResponse } from './origin-response.js';
import type { Representation, Resource } from './representation.js';

/** Figures of an origin since its start. */
export interface OriginStatistics {
  readonly responses: Readonly<
    Record<'ok' | 'partial' | 'notModified' | 'redirect' | 'clientError' | 'serverError', number>
  >;
  /** Answers that needed neither disk nor compression. */
  readonly memoryHits: number;
  /** Share of answers to resources that came from memory or were a 304; undefined before the first. */
  readonly hitRatio: number | undefined;
  /** What compression saved of the bodies of full answers, bytes. */
  readonly savedBytes: number;
  /** Bodies of full answers, bytes. */
  readonly sentBytes: number;
  /** Requests for a hashed name that is not there: most often a chunk of a release that was removed. */
  readonly missingHashed: number;
  /** Faults of the disk. */
  readonly readErrors: number;
  readonly memoryBytes: number;
  readonly memoryResources: number;
}

/** Plain counters: nothing here may cost an answer from memory its speed. */
export class OriginCounters {
  missingHashed = 0;
  readErrors = 0;
  #ok = 0;
  #partial = 0;
  #notModified = 0;
  #redirect = 0;
  #clientError = 0;
  #serverError = 0;
  #memoryHits = 0;
  #hits = 0;
  #sentBytes = 0;
  #savedBytes = 0;

  /** Every answer. */
  count(response: OriginResponse): OriginResponse {
    const { status } = response;
    if (status === 200) this.#ok++;
    else if (status === 304) this.#notModified++;
    else if (status === 206) this.#partial++;
    else if (status < 400) this.#redirect++;
    else if (status < 500) this.#clientError++;
    else this.#serverError++;
    return response;
  }

  /** Beside `count`, an answer about a resource. */
  countDelivery(
    { status, body }: OriginResponse,
    { identity }: Resource,
    representation: Representation | undefined,
    isFromMemory: boolean,
  ): void {
    if (isFromMemory) this.#memoryHits++;
    if (status === 304 || (isFromMemory && status < 400)) this.#hits++;
    if (status !== 200 || representation === undefined || body === undefined) return;
    this.#sentBytes += representation.sizeBytes;
    this.#savedBytes += identity.sizeBytes - representation.sizeBytes;
  }

  statistics(memoryBytes: number, memoryResources: number): OriginStatistics {
    const asked = this.#ok + this.#partial + this.#notModified;
    return {
      responses: {
        ok: this.#ok,
        partial: this.#partial,
        notModified: this.#notModified,
        redirect: this.#redirect,
        clientError: this.#clientError,
        serverError: this.#serverError,
      },
      memoryHits: this.#memoryHits,
      hitRatio: asked === 0 ? undefined : this.#hits / asked,
      savedBytes: this.#savedBytes,
      sentBytes: this.#sentBytes,
      missingHashed: this.missingHashed,
      readErrors: this.readErrors,
      memoryBytes,
      memoryResources,
    };
  }
}
