import { createWriteStream, openSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';

const MAX_BYTES = 10 * 1024 * 1024;
const TAIL_LINES = 20;

/** The log of one process: at most two files of 10 MB, `<path>` and the older `<path>.1`. */
export class LogFile {
  readonly path: string;
  private stream: WriteStream;
  private bytes: number;
  private readonly recent: string[] = [];

  constructor(path: string) {
    this.path = path;
    this.bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.stream = this.open();
  }

  /** The last lines written through this object, oldest first. */
  get tail(): readonly string[] {
    return this.recent;
  }

  write(line: string): void {
    this.recent.push(line);
    if (this.recent.length > TAIL_LINES) this.recent.shift();
    if (this.bytes > MAX_BYTES) this.rotate();
    this.bytes += Buffer.byteLength(line) + 1;
    this.stream.write(`${line}\n`);
  }

  async close(): Promise<void> {
    if (this.stream.destroyed) return;
    this.stream.end();
    await once(this.stream, 'close');
  }

  /** What the old stream has not written yet follows its file to the new name. */
  private rotate(): void {
    this.stream.end();
    renameSync(this.path, `${this.path}.1`);
    this.bytes = 0;
    this.stream = this.open();
  }

  private open(): WriteStream {
    // The file exists from here on, so that it can be renamed before the stream has written anything.
    const stream = createWriteStream(this.path, { fd: openSync(this.path, 'a') });
    // A full disk must not end the supervisor: the log is the least of what it keeps.
    return stream.on('error', () => undefined);
  }
}
