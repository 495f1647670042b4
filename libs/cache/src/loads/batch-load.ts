import type { EntryStore } from '../entry-store.js';
import type { Below, Target } from '../target.js';
import { Flight, type Outcome } from './flight.js';
import type { LoadEngine } from './load-engine.js';
import type { CacheBatchLoader } from './loader.js';
import { withHardTimeout } from './loader-run.js';
import { hardLife, lifeOf, type Settings } from './settings.js';

/** A flight of the batch, with the handles that settle it. */
interface Seat {
  readonly target: Target;
  readonly flight: Flight;
  readonly settle: PromiseWithResolvers<Outcome>;
}

/**
 * Loads many keys: one read of Redis for each bucket, then one run of the loader for what is missing. Every key has its own
 * flight, which callers of the single form join, and an invalidation of one key overtakes that key alone.
 */
export class BatchLoad {
  readonly #controller = new AbortController();

  constructor(
    private readonly store: EntryStore,
    private readonly engine: LoadEngine,
    private readonly loader: CacheBatchLoader<unknown>,
    private readonly settings: Settings,
  ) {}

  /** Outcome of each target, in order. Rejects with the loader's error. */
  async load(targets: readonly Target[]): Promise<readonly Outcome[]> {
    const seats: Seat[] = [];
    const waits = targets.map((target) => {
      const running = this.engine.flightOf(target);
      if (running === undefined) {
        const seat = this.#seat(target);
        seats.push(seat);
        return seat.flight.promise;
      }
      this.store.counters.coalesced++;
      return this.engine.wait(running, this.settings, undefined);
    });
    // Every flight is settled by the run; its rejections are the waits' own.
    void this.#run(seats);
    const settled = await Promise.allSettled(waits);
    return settled.map((it) => {
      if (it.status === 'rejected') throw it.reason;
      return it.value;
    });
  }

  #seat(target: Target): Seat {
    const flight = new Flight(target);
    const settle = Promise.withResolvers<Outcome>();
    flight.enter();
    flight.controller.signal.addEventListener('abort', () =>
      this.#controller.abort(flight.controller.signal.reason),
    );
    this.engine.start(flight, settle.promise);
    return { target, flight, settle };
  }

  async #run(seats: readonly Seat[]): Promise<void> {
    try {
      const belows = await this.store.readMany(
        seats.map((it) => it.target),
        this.settings,
        true,
      );
      const missing: { seat: Seat; below: Below }[] = [];
      for (const [i, seat] of seats.entries()) {
        const below = belows[i] ?? {};
        const found = below.found;
        if (found !== undefined && found.freshUntil > this.store.tiers.clock.now()) {
          seat.settle.resolve({ stored: found.stored });
        } else missing.push({ seat, below });
      }
      if (missing.length > 0) await this.#loadMissing(missing);
    } catch (error) {
      for (const { settle } of seats) settle.reject(error);
    }
  }

  async #loadMissing(missing: readonly { seat: Seat; below: Below }[]): Promise<void> {
    const { counters, tiers } = this.store;
    const keys = missing.map(({ seat }) => seat.target.key);
    const startedAt = tiers.clock.now();
    counters.loads++;
    try {
      const { signal } = this.#controller;
      const work = (async () => await this.loader(keys, { signal }))();
      const label = `${keys.length} keys from ${keys[0] ?? ''}`;
      const values = await withHardTimeout(
        work,
        label,
        this.#controller,
        tiers.clock,
        this.settings.hardTimeoutMs,
      );
      const loadMs = tiers.clock.now() - startedAt;
      for (const { seat, below } of missing) {
        seat.settle.resolve(this.#keep(seat.target, values.get(seat.target.key), loadMs, below));
      }
    } catch (error) {
      counters.loadErrors++;
      throw error;
    } finally {
      counters.loadMs += tiers.clock.now() - startedAt;
    }
  }

  #keep(target: Target, value: unknown, loadMs: number, below: Below): Outcome {
    const { store, settings } = this;
    const freshMs = lifeOf(value, settings);
    const stored = freshMs > 0 ? store.takeIn(value) : undefined;
    if (stored === undefined) return { raw: value };
    if (store.overtaken(target)) {
      store.counters.overtaken++;
      return { stored };
    }
    const hardMs = hardLife(freshMs, settings);
    store.keep(target, { stored, freshMs, hardMs, loadMs, createdAt: Date.now() }, below, settings);
    return { stored };
  }
}
