import { setTimeout as sleep } from 'node:timers/promises';
import { type TaskQueueOptionsInput } from '../../../src/index.js';
import { until } from '../../probe-app.js';
import { WorkerProcess } from '../../worker-process.js';

export interface ProofWorkersInput {
  readonly backend: TaskQueueOptionsInput['backend'];
  readonly prefix: string;
  /** Of the transactions that tasks are submitted in: then they relay as well. */
  readonly databaseUrl?: string;
  /** How long a handler takes, milliseconds; a batch twice as long. */
  readonly runMs?: number;
  /** More options of their queues. */
  readonly options?: Partial<TaskQueueOptionsInput>;
}

/** `loaded` does nothing until it is told to; `told` is about to be `ready`, which works. */
interface Worker {
  readonly process: WorkerProcess;
  state: 'starting' | 'loaded' | 'told' | 'ready';
}

const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 500;
/** Processes that are loaded ahead: starting one takes longer than the pause between two kills. */
const SPARES = 5;

/** Processes that do what their program says, and die. */
export class ProofProcesses {
  /** When they were killed, by `performance.now`. */
  readonly #killedAt: number[] = [];
  /** To be put to work as soon as they are loaded. */
  #wanted = 0;
  /** That are to work at once. */
  #count = 0;
  #failure: Error | undefined;
  #isStopping = false;
  readonly #workers = new Set<Worker>();
  #ending: Promise<void>[] = [];

  /**
   * @param program a file beside this one; it prints `loaded` when it can be told to begin by a line, and `ready` when it
   *   has begun
   */
  constructor(
    private readonly program: string,
    private readonly settings: object,
    private readonly onLine: (line: string) => void = () => undefined,
  ) {}

  get kills(): number {
    return this.#killedAt.length;
  }

  /** How much time lay between two kills, milliseconds; the median. */
  get medianPauseMs(): number {
    const pauses = this.#killedAt.slice(1).map((at, index) => at - (this.#killedAt[index] ?? at));
    return Math.round(pauses.sort((a, b) => a - b)[pauses.length >> 1] ?? 0);
  }

  /** So many that work. */
  async start(count: number): Promise<void> {
    this.#count = count;
    for (let index = 0; index < count + SPARES; index++) this.#load();
    this.#want(count);
    await this.#until(() => this.#in('ready').length === count);
  }

  /**
   * Kills one that works every 200 to 500 ms. Others take their places meanwhile. It waits only where two places are
   * empty, because the machine cannot start them as fast: somebody works at all times.
   *
   * @param others are killed as well, now one of these and now one of those
   */
  async killUntil(
    isDone: () => Promise<boolean>,
    random: () => number,
    ...others: readonly ProofProcesses[]
  ): Promise<void> {
    const crews = [this, ...others];
    for (;;) {
      const pauseMs = SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
      const [done] = await Promise.all([isDone(), sleep(pauseMs)]);
      if (done) break;
      const crew = crews[Math.floor(random() * crews.length)] ?? this;
      await crew.#until(() => crew.#in('ready').length >= Math.max(1, crew.#count - 1));
      if (this.#isStopping) break;
      crew.#kill(random);
    }
    await Promise.all(crews.flatMap((it) => it.#ending));
  }

  async killOne(random: () => number): Promise<void> {
    this.#kill(random);
    await Promise.all(this.#ending);
  }

  /** They finish what they run. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wanted = 0;
    await Promise.all(this.#ending);
    await Promise.all(
      [...this.#workers].map((it) => this.#end(it, it.state === 'ready' ? 'SIGTERM' : 'SIGKILL')),
    );
  }

  #kill(random: () => number): void {
    const working = this.#in('ready');
    const victim = working[Math.floor(random() * working.length)];
    if (!victim) throw new Error('Nobody works');
    this.#killedAt.push(performance.now());
    this.#ending.push(this.#end(victim, 'SIGKILL'));
    this.#load();
    this.#want(1);
  }

  #load(): void {
    const worker: Worker = {
      state: 'starting',
      process: new WorkerProcess({
        fixture: `../proof/harness/${this.program}`,
        settings: this.settings,
        onLine: (line) => {
          if (line === 'loaded' || line === 'ready') worker.state = line;
          else this.onLine(line);
          this.#want(0);
        },
      }),
    };
    this.#workers.add(worker);
    void worker.process.ended.then(() => {
      if (this.#workers.delete(worker)) this.#failure = new Error('A worker ended by itself');
    });
  }

  /** As many more are to work. */
  #want(more: number): void {
    this.#wanted += more;
    for (const next of this.#in('loaded').slice(0, this.#wanted)) {
      this.#wanted--;
      next.state = 'told';
      next.process.tell('work');
    }
  }

  #in(state: Worker['state']): Worker[] {
    return [...this.#workers].filter((it) => it.state === state);
  }

  /** @throws when a worker has ended that nobody killed */
  async #until(condition: () => boolean): Promise<void> {
    await until(() => {
      if (this.#failure) throw this.#failure;
      return this.#isStopping || condition();
    });
  }

  async #end(worker: Worker, signal: NodeJS.Signals): Promise<void> {
    this.#workers.delete(worker);
    await worker.process.end(signal);
  }
}

/** Worker processes that run the tasks of the proofs. */
export class ProofWorkers extends ProofProcesses {
  /** How often each attempt was begun, by `{task}/{number}/{attempt}`. */
  readonly runs: Map<string, number>;

  constructor({ runMs = 40, options = {}, ...input }: ProofWorkersInput) {
    const runs = new Map<string, number>();
    super('proof-process.mjs', { ...input, runMs, options }, (line) => {
      if (!line.startsWith('run ')) return;
      const attempt = line.slice(4);
      runs.set(attempt, (runs.get(attempt) ?? 0) + 1);
    });
    this.runs = runs;
  }

  /** Attempts that were begun again: by number of the tasks, but for those that many tasks have. */
  duplicates(shared: readonly number[] = []): number {
    const own = [...this.runs].filter(([attempt]) => !shared.some((it) => attempt.includes(`/${it}/`)));
    return own.reduce((sum, [, count]) => sum + count - 1, 0);
  }
}
