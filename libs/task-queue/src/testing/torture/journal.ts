import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';

/** What a worker process does. */
export type JournalEntry =
  | { readonly event: 'begun'; readonly task: string; readonly id: string; readonly fence: number }
  | {
      readonly event: 'ended';
      readonly task: string;
      readonly id: string;
      readonly fence: number;
      /** Of the handler; absent when it returned. */
      readonly error?: string;
    };

/** Writes before anything else happens, so that an entry outlives a SIGKILL that follows it. */
export class JournalWriter {
  constructor(private readonly path: string) {}

  write(entry: JournalEntry): void {
    appendFileSync(this.path, `${JSON.stringify(entry)}\n`);
  }
}

/** Reads what one worker has written since the last time. */
export class JournalReader {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(65_536);
  #rest = Buffer.alloc(0);

  constructor(path: string) {
    this.#file = openSync(path, 'a+');
  }

  *entries(): Generator<JournalEntry> {
    for (;;) {
      const length = readSync(this.#file, this.#buffer);
      if (length === 0) return;
      const read = Buffer.concat([this.#rest, this.#buffer.subarray(0, length)]);
      const end = read.lastIndexOf('\n') + 1;
      this.#rest = read.subarray(end);
      for (const line of read.toString('utf8', 0, end).split('\n')) {
        if (line !== '') yield JSON.parse(line) as JournalEntry;
      }
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
