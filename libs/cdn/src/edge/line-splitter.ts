const NEWLINE = 0x0a;

/** Makes lines of chunks, and holds no more than one line of the longest length. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #isSkipping = false;

  /** @param maxBytes of a line; what is longer is left out and reported as `undefined`, once */
  constructor(private readonly maxBytes: number) {}

  /** @param onLine gets each whole line, without its end */
  push(chunk: Buffer, onLine: (line: string | undefined) => void): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end), onLine);
      if (!this.#isSkipping) onLine(this.#rest.toString('utf8'));
      this.clear();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start), onLine);
  }

  /** Whether a line has begun whose end has not come. */
  get hasRest(): boolean {
    return this.#rest.length > 0 || this.#isSkipping;
  }

  /** Forgets the line that has begun. */
  clear(): void {
    this.#rest = Buffer.alloc(0);
    this.#isSkipping = false;
  }

  #keep(part: Buffer, onLine: (line: undefined) => void): void {
    if (this.#isSkipping || part.length === 0) return;
    if (this.#rest.length + part.length > this.maxBytes) {
      this.clear();
      this.#isSkipping = true;
      return onLine(undefined);
    }
    // A copy: the reader uses its buffer again.
    this.#rest = Buffer.concat([this.#rest, part]);
  }
}
