import { compress, type Compression, decodesTo, etagOf, NEIGHBOUR_ENDINGS } from './coded-content.js';
import type { LocatedFile } from './file-locator.js';
import { openFile, readWholeFile } from './file-reading.js';
import type { OriginOptions } from './origin.options.js';
import { type HeaderBlocks, type Representation, type Resource, statEtagOf } from './representation.js';

/** Makes the compressed forms of a resource: from the file beside it, else on the fly. */
export class CodingMaker {
  constructor(
    private readonly options: OriginOptions['compression'],
    private readonly headers: HeaderBlocks,
  ) {}

  /** @returns null when the resource has no such form */
  async make(resource: Resource, coding: Compression): Promise<Representation | null> {
    const neighbour = this.options.precompressed ? await this.#neighbourOf(resource, coding) : null;
    if (neighbour) return neighbour;
    const { bytes } = resource.identity;
    // zstd is for prebuilt files: on the fly, what reads zstd reads brotli too.
    if (!this.options.onTheFly || bytes === undefined || coding === 'zstd') return null;
    return this.#inMemory(resource, coding, await compress(coding, bytes, this.options));
  }

  async #neighbourOf(resource: Resource, coding: Compression): Promise<Representation | null> {
    const ending = NEIGHBOUR_ENDINGS[coding];
    const { path, realPath } = resource.file;
    try {
      const { handle, file } = await openFile({ path: path + ending, realPath: realPath + ending });
      await handle.close();
      const { bytes } = resource.identity;
      return await (bytes
        ? this.#smallNeighbour(resource, coding, file, bytes)
        : this.#largeNeighbour(resource, coding, file));
    } catch (error) {
      // Not there, a link, not readable: then there is none. Other faults concern the file itself too, and show there.
      if ((error as NodeJS.ErrnoException).code !== undefined) return null;
      throw error;
    }
  }

  async #smallNeighbour(
    resource: Resource,
    coding: Compression,
    neighbour: LocatedFile,
    content: Buffer,
  ): Promise<Representation | null> {
    // Of no use when it is larger, and no reason to read it.
    if (neighbour.sizeBytes > content.length) return null;
    const { bytes } = await readWholeFile(neighbour);
    return (await decodesTo(coding, bytes, content)) ? this.#inMemory(resource, coding, bytes) : null;
  }

  /** Too large to look inside: what is older than its file was made from another one. */
  #largeNeighbour(resource: Resource, coding: Compression, neighbour: LocatedFile): Representation | null {
    if (neighbour.mtimeNs < resource.file.mtimeNs) return null;
    const { sizeBytes } = neighbour;
    return this.headers.represent(
      { coding, sizeBytes, etag: statEtagOf(neighbour), file: neighbour },
      resource,
    );
  }

  #inMemory(resource: Resource, coding: Compression, bytes: Buffer): Representation {
    return this.headers.represent({ coding, sizeBytes: bytes.length, etag: etagOf(bytes), bytes }, resource);
  }
}
