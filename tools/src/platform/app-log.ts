import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

import type { LogFile } from './log-file.ts';

/** Levels of JSON log lines that a person should see at once. */
const LOUD_LEVELS = new Set(['warn', 'error', 'fatal']);
const LOUD_PRETTY = /\b(WARN|ERROR|FATAL)\b/;

export interface AppLogOptions {
  readonly file: LogFile;
  /** Gets warnings and errors as one readable text. */
  readonly show: (text: string) => void;
}

/** Takes the output of an app: everything to its file, what matters to the terminal. */
export class AppLog {
  private readonly options: AppLogOptions;
  private readonly plainErrors: string[] = [];
  private isStarting = true;

  constructor(options: AppLogOptions) {
    this.options = options;
  }

  /** What it wrote to stderr as plain text before it served: a start failure's message. */
  get startFailure(): string {
    return this.plainErrors.join('\n');
  }

  /** From now on errors are shown as they come; before, they belong to the failure that the caller reports. */
  started(): void {
    this.isStarting = false;
  }

  read(stdout: Readable, stderr: Readable): void {
    createInterface({ input: stdout }).on('line', (line) => this.take(line, false));
    createInterface({ input: stderr }).on('line', (line) => this.take(line, true));
  }

  private take(line: string, isError: boolean): void {
    this.options.file.write(line);
    const entry = parseEntry(line);
    const isPlain = entry === undefined;
    if (this.isStarting && isPlain && isError) {
      this.plainErrors.push(line);
      return;
    }
    if (entry && LOUD_LEVELS.has(entry.level)) this.options.show(`${entry.level}: ${entry.message}`);
    else if (isPlain && (isError || LOUD_PRETTY.test(line))) this.options.show(line);
  }
}

function parseEntry(line: string): { level: string; message: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, message } = JSON.parse(line) as { level?: unknown; message?: unknown };
    return { level: String(level), message: typeof message === 'string' ? message : JSON.stringify(message) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
