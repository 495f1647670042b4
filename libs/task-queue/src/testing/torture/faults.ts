import { setTimeout as sleep } from 'node:timers/promises';
import { type Range, SeededRandom } from '../random.js';
import { type StorePause } from './store-pause.js';
import { type ParsedTortureOptions } from './torture.options.js';
import { type WorkerCrew } from './worker-crew.js';
import { type WorkerProcess } from './worker-process.js';

/** What was done to the workers. */
export interface FaultCounts {
  blockedLoops: number;
  storePauses: number;
}

/** How often it is looked for somebody to hurt. */
const LOOK_EVERY_MS = 10;

/**
 * Does harm until the signal aborts. Every kind has its own random numbers, so that the same seed gives the same
 * intervals, however the kinds fall together.
 */
export class Faults {
  readonly counts: FaultCounts = { blockedLoops: 0, storePauses: 0 };

  constructor(
    private readonly options: Pick<ParsedTortureOptions, 'faults' | 'faultsForMs' | 'seed'>,
    private readonly crew: WorkerCrew,
    private readonly storePause: StorePause,
  ) {}

  async run(enough: AbortSignal): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([enough, over.signal]);
    const { kill, blockLoop, pauseStore } = this.options.faults;
    const parts = [
      this.#untilOver(signal).finally(() => over.abort()),
      kill && this.#repeat(1, kill.everyMs, signal, (random) => this.#kill(random, signal)),
      blockLoop &&
        this.#repeat(2, blockLoop.everyMs, signal, (random) => this.#block(random, blockLoop.forMs, signal)),
      pauseStore &&
        this.#repeat(3, pauseStore.everyMs, signal, (random) =>
          this.#pause(random, pauseStore.forMs, signal),
        ),
    ].filter((it) => it !== false);
    try {
      await Promise.all(parts);
    } finally {
      // One that failed ends the others, and nothing happens any more when this has returned.
      over.abort();
      await Promise.allSettled(parts);
    }
  }

  /** Counted from the first task: on a busy machine processes may load for longer than faults are to happen. */
  async #untilOver(signal: AbortSignal): Promise<void> {
    await this.#victim(new SeededRandom(this.options.seed), signal);
    await wait(this.options.faultsForMs, signal);
  }

  async #repeat(
    kind: number,
    everyMs: Range,
    signal: AbortSignal,
    harm: (random: SeededRandom) => Promise<void>,
  ): Promise<void> {
    const random = new SeededRandom(this.options.seed + kind);
    while (!signal.aborted) {
      await wait(random.within(everyMs), signal);
      if (!signal.aborted) await harm(random);
    }
  }

  async #kill(random: SeededRandom, signal: AbortSignal): Promise<void> {
    const victim = await this.#victim(random, signal);
    if (victim) await this.crew.kill(victim);
  }

  async #block(random: SeededRandom, forMs: Range, signal: AbortSignal): Promise<void> {
    const victim = await this.#victim(random, signal);
    if (!victim) return;
    this.counts.blockedLoops++;
    victim.block(random.within(forMs));
  }

  async #pause(random: SeededRandom, forMs: Range, signal: AbortSignal): Promise<void> {
    this.counts.storePauses++;
    await this.storePause.for(random.within(forMs), signal);
  }

  /** One that has begun something: else nothing would ever be done where the intervals are short. */
  async #victim(random: SeededRandom, signal: AbortSignal): Promise<WorkerProcess | undefined> {
    while (!signal.aborted) {
      this.crew.tend();
      const victim = random.pick(this.crew.busy());
      if (victim) return victim;
      await wait(LOOK_EVERY_MS, signal);
    }
    return undefined;
  }
}

/** Ends early when the signal aborts. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
