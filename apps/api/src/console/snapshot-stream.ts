import { Logger, ServiceUnavailableException } from '@nestjs/common';
import { type ConsoleSnapshot } from '@peregrine/console';
import { type ServerResponse } from 'node:http';

/** How often a snapshot is sent, milliseconds. */
export const SNAPSHOT_EVERY_MS = 2_000;
/** Every so many snapshots the sessions of the viewers are looked at. */
const CHECK_EVERY = 5;
const MAX_VIEWERS = 32;
/** A viewer that has not read this much is gone or too slow, bytes. */
const MAX_BEHIND_BYTES = 1_048_576;
/** A drain must not wait for a stream that would never end by itself. */
const DRAIN_CHECK_MS = 200;

/** What a stream needs of the application. */
export interface StreamSource {
  take(): Promise<ConsoleSnapshot>;
  /** Whether the process is about to end. */
  isDraining(): boolean;
}

interface Viewer {
  readonly response: ServerResponse;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Whether it may still look. Never rejects. */
  readonly mayGoOn: () => Promise<boolean>;
}

/**
 * Sends snapshots as server-sent events (WHATWG HTML, section 9.2) to everyone who looks: taken once for all of them, and
 * not at all while nobody does.
 */
export class SnapshotStream {
  readonly #log = new Logger('ConsoleStream');
  readonly #source: StreamSource;
  readonly #viewers = new Set<Viewer>();
  #timers: NodeJS.Timeout[] = [];
  #sending: Promise<void> | undefined;
  #sent = 0;

  constructor(source: StreamSource) {
    this.#source = source;
  }

  /** How many look. */
  get size(): number {
    return this.#viewers.size;
  }

  /** @throws {ServiceUnavailableException} when too many look, or the process is about to end */
  assertRoom(): void {
    if (this.#source.isDraining()) throw new ServiceUnavailableException('The api is about to end');
    if (this.#viewers.size >= MAX_VIEWERS) {
      throw new ServiceUnavailableException(`${MAX_VIEWERS} consoles are open: close one and try again`);
    }
  }

  /** Sends snapshots from now on, the first one at once, until the viewer leaves or its session is over. */
  add(response: ServerResponse, viewer: Omit<Viewer, 'response'>): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // A proxy in front must not collect it: nginx.
      'X-Accel-Buffering': 'no',
      // The connection ends with the stream, so that a shutdown does not wait for it.
      Connection: 'close',
    });
    response.write('retry: 2000\n\n');
    const its: Viewer = { response, ...viewer };
    this.#viewers.add(its);
    response.once('close', () => this.#remove(its));
    response.on('error', () => this.#remove(its));
    if (this.#timers.length === 0) this.#start();
    void this.send();
  }

  /** A snapshot now; callers at the same time share it. Never rejects. */
  async send(): Promise<void> {
    this.#sending ??= this.#takeAndSend().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  /** Ends every stream. */
  close(): void {
    for (const { response } of this.#viewers) response.end();
  }

  #start(): void {
    this.#timers = [
      setInterval(() => void this.send(), SNAPSHOT_EVERY_MS).unref(),
      setInterval(() => {
        if (this.#source.isDraining()) this.close();
      }, DRAIN_CHECK_MS).unref(),
    ];
  }

  #remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  async #takeAndSend(): Promise<void> {
    try {
      // Beside the snapshot: a database that hangs must not hold it up.
      if (this.#sent++ % CHECK_EVERY === 0) void this.#endWhoMayNot();
      const snapshot = await this.#source.take();
      const event = `event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`;
      for (const { response, expiresAt } of this.#viewers) {
        if (expiresAt <= Date.now()) response.end();
        else if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
        else response.write(event);
      }
    } catch (error) {
      this.#log.error('No snapshot could be taken', error instanceof Error ? error.stack : String(error));
    }
  }

  async #endWhoMayNot(): Promise<void> {
    const viewers = [...this.#viewers];
    const answers = await Promise.all(viewers.map((it) => it.mayGoOn()));
    viewers.forEach(({ response }, index) => {
      if (!answers[index]) response.end();
    });
  }
}
