import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const KEPT_LINES = 20;

/** Hands on every line of a program's output and keeps the last ones for an error message. */
export class LineTail {
  readonly #lines: string[] = [];

  constructor(private readonly onLine: (line: string) => void) {}

  get lines(): readonly string[] {
    return [...this.#lines];
  }

  /** Was this text in one of the last lines? */
  includes(text: string): boolean {
    return this.#lines.some((it) => it.includes(text));
  }

  read(stream: Readable): void {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      this.onLine(line);
    });
  }
}
