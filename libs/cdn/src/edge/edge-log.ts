import {
  EDGE_RESULTS,
  EDGE_SOURCES,
  type EdgeResult,
  type EdgeSource,
  parseEdgeLogLine,
} from './edge-log-line.js';
import { LogFollower } from './log-follower.js';

/** How often the log is read, milliseconds. */
const POLL_MS = 1_000;

/** Figures of one kind of edge since this process follows its log. */
export interface EdgeStatistics {
  readonly source: EdgeSource;
  readonly requests: Readonly<Record<EdgeResult, number>>;
  /** Sent to clients, headers included. */
  readonly bytes: Readonly<Record<EdgeResult, number>>;
  /** Share of the requests for the cache that the origin did not see; undefined before the first. */
  readonly hitRatio: number | undefined;
}

type Counts = Record<EdgeResult, number>;

/** Counts what an nginx or a Varnish in front has written into its log. */
export class EdgeLog {
  readonly #follower: LogFollower;
  readonly #requests = new Map<EdgeSource, Counts>();
  readonly #bytes = new Map<EdgeSource, Counts>();
  #unreadLines = 0;
  #lastError: Error | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param path of a log with a line of JSON for each request
   * @param onError told when the log cannot be read, once until it can
   */
  constructor(
    path: string,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {
    this.#follower = new LogFollower(path, (line) => this.#count(line));
  }

  /** Lines that are no request: broken off, too long, or of another format. */
  get unreadLines(): number {
    return this.#unreadLines;
  }

  /** Why the log cannot be read at the moment. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Of the edges that have written; empty before the first line. */
  statistics(): EdgeStatistics[] {
    return EDGE_SOURCES.flatMap((source) => {
      const [requests, bytes] = [this.#requests.get(source), this.#bytes.get(source)];
      return requests && bytes
        ? [{ source, requests: { ...requests }, bytes: { ...bytes }, hitRatio: hitRatioOf(requests) }]
        : [];
    });
  }

  /** Begins at the end of the log as it is now, and follows it until `close`. */
  async open(): Promise<void> {
    await this.poll();
    this.#timer = setInterval(() => void this.poll(), POLL_MS).unref();
  }

  /** Reads what has come since the last time; an error is kept and told, not thrown. */
  async poll(): Promise<void> {
    try {
      await this.#follower.poll();
      this.#lastError = undefined;
    } catch (error) {
      const isNew = this.#lastError === undefined;
      this.#lastError = error as Error;
      if (isNew) this.onError(this.#lastError);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#follower.close();
  }

  #count(line: string | undefined): void {
    const entry = line === undefined ? undefined : parseEdgeLogLine(line);
    if (!entry) {
      this.#unreadLines++;
      return;
    }
    const { source, result, bytes } = entry;
    countsOf(this.#requests, source)[result]++;
    countsOf(this.#bytes, source)[result] += bytes;
  }
}

function countsOf(map: Map<EdgeSource, Counts>, source: EdgeSource): Counts {
  const known = map.get(source);
  if (known) return known;
  const counts = Object.fromEntries(EDGE_RESULTS.map((it) => [it, 0])) as Counts;
  map.set(source, counts);
  return counts;
}

function hitRatioOf({ hit, stale, revalidated, miss }: Counts): number | undefined {
  const asked = hit + stale + revalidated + miss;
  return asked === 0 ? undefined : (hit + stale) / asked;
}
