import { constants, type BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { LineSplitter } from './line-splitter.js';

const CHUNK_BYTES = 64 * 1024;
/** A request line of 16 KB, each character escaped as `\u00ff`, and the other fields. */
const MAX_LINE_BYTES = 128 * 1024;

/** Gets each line that was added; undefined for one that is broken off or too long. */
export type OnLine = (line: string | undefined) => void;

/** A log that is held open, under whatever name, and how far it was read. */
export class FollowedFile {
  readonly #splitter = new LineSplitter(MAX_LINE_BYTES);
  #offset = 0;

  private constructor(
    private readonly handle: FileHandle,
    private readonly stats: BigIntStats,
    private readonly onLine: OnLine,
  ) {}

  /** @returns nothing where the path leads to something that is no file */
  static async open(path: string, onLine: OnLine): Promise<FollowedFile | undefined> {
    // Without O_NONBLOCK a named pipe would hold a thread until somebody writes.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return new FollowedFile(handle, stats, onLine);
    await handle.close();
    return undefined;
  }

  /** Whether a path leads to this file: while it is held, its number is given to no other. */
  is({ dev, ino }: BigIntStats): boolean {
    return this.stats.dev === dev && this.stats.ino === ino;
  }

  /** Leaves out what is there. */
  skip(): void {
    this.#offset = Number(this.stats.size);
  }

  async readOn(buffer = Buffer.allocUnsafe(CHUNK_BYTES)): Promise<void> {
    const { size } = await this.handle.stat();
    if (size < this.#offset) {
      // Cut to nothing, and written anew.
      this.#dropRest();
      this.#offset = 0;
    }
    for (;;) {
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      this.#splitter.push(buffer.subarray(0, bytesRead), this.onLine);
    }
  }

  async close(): Promise<void> {
    this.#dropRest();
    await this.handle.close();
  }

  /** Its end will not come any more. */
  #dropRest(): void {
    if (this.#splitter.hasRest) this.onLine(undefined);
    this.#splitter.clear();
  }
}
