import { systemClock, type CacheClock } from '../clock.js';
import { SeededRandom, type ChaosRange } from './random.js';

/** What goes wrong with a call. Nothing does by default. */
export interface ChaosFaults {
  /** Wait before the call, milliseconds. @default 0 */
  readonly delay?: number | ChaosRange;
  /** Share of calls that fail, 0 to 1. @default 0 */
  readonly errorRate?: number;
  /** What they fail with. @default a {@link ChaosError} */
  readonly error?: () => unknown;
  /** Share of calls that are swallowed: they answer only when their signal is aborted, or never. @default 0 */
  readonly dropRate?: number;
}

/** The failure that {@link Chaos} made up. */
export class ChaosError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
  constructor() {
    super('Chaos made this call fail');
  }
}

/**
 * Trouble for calls in the process: hand one to {@link chaosLoader} and `chaosObjectStore`, and change it while the test
 * runs. The same seed and the same calls bring the same trouble.
 */
export class Chaos {
  #faults: ChaosFaults;
  readonly #random: SeededRandom;
  readonly #clock: CacheClock;
  #met = 0;

  constructor(
    faults: ChaosFaults = {},
    options: { readonly seed?: number; readonly clock?: CacheClock } = {},
  ) {
    this.#faults = faults;
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#clock = options.clock ?? systemClock;
  }

  /** Calls that came by so far. */
  get calls(): number {
    return this.#met;
  }

  /** From now on these faults, and no others. */
  set(faults: ChaosFaults): void {
    this.#faults = faults;
  }

  /** No faults any more. Calls that were swallowed stay so. */
  calm(): void {
    this.#faults = {};
  }

  /** Resolves when the call may go on. @throws what the faults say, or the reason of an aborted `signal`. */
  async meet(signal?: AbortSignal): Promise<void> {
    this.#met++;
    const { delay = 0, errorRate = 0, dropRate = 0, error = () => new ChaosError() } = this.#faults;
    // Drawn always, in one order: what happens to a call does not depend on which faults are switched on.
    const drops = this.#random.happens(dropRate);
    const fails = this.#random.happens(errorRate);
    const delayMs = this.#random.within(delay);
    signal?.throwIfAborted();
    if (drops) await this.#until(signal);
    if (delayMs > 0) await this.#until(signal, delayMs);
    if (fails) throw error();
  }

  /** Rejects when the signal is aborted; without `ms` that is the only end. */
  #until(signal: AbortSignal | undefined, ms?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        if (timer !== undefined) this.#clock.clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const go = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const timer = ms === undefined ? undefined : this.#clock.setTimeout(go, ms);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }
}

/** The faults as they are, or what they are to become. */
export const chaosOf = (faults: Chaos | ChaosFaults): Chaos =>
  faults instanceof Chaos ? faults : new Chaos(faults);

/**
 * A loader that fails, waits and hangs as the faults say before the real one is called. Ends a wait when the `signal` of the
 * loader's context is aborted.
 */
export function chaosLoader<C extends { readonly signal?: AbortSignal }, T>(
  loader: (context: C) => T | Promise<T>,
  faults: Chaos | ChaosFaults,
): (context: C) => Promise<T> {
  const chaos = chaosOf(faults);
  return async (context) => {
    await chaos.meet(context.signal);
    return loader(context);
  };
}
