import { type CdnClock, type ClockTimer, systemClock } from '../clock.js';
import { type PurgeDispatch } from './cdn-invalidation.js';
import { type PurgeDelivery } from './purge-delivery.js';

/** A queue that does not answer is asked again after this, milliseconds. */
const QUEUE_RETRY_MS = 5_000;

interface Lane {
  readonly delivery: PurgeDelivery;
  running: Promise<void> | undefined;
  /** Something was added while the delivery ran. */
  again: boolean;
  timer: ClockTimer | undefined;
}

/** Delivers in this process: at once, and again when a provider may be asked again. One request at a time a provider. */
export class InProcessDispatch implements PurgeDispatch {
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #closing = new AbortController();

  constructor(
    deliveries: readonly PurgeDelivery[],
    private readonly warn: (message: string) => void,
    private readonly clock: CdnClock = systemClock,
  ) {
    this.#lanes = new Map(
      deliveries.map((delivery) => [
        delivery.provider,
        { delivery, running: undefined, again: false, timer: undefined },
      ]),
    );
  }

  dispatch(providers: readonly string[]): Promise<void> {
    for (const provider of providers) {
      const lane = this.#lanes.get(provider);
      if (lane) this.#start(lane);
    }
    return Promise.resolve();
  }

  /** Ends the requests under way; what they were to purge is pending again. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The application stops'));
    for (const lane of this.#lanes.values()) this.clock.clearTimeout(lane.timer);
    for (const { running } of this.#lanes.values()) await running;
  }

  #start(lane: Lane): void {
    if (this.#closing.signal.aborted) return;
    lane.again = true;
    lane.running ??= this.#run(lane);
  }

  async #run(lane: Lane): Promise<void> {
    let nextMs: number | undefined;
    while (lane.again && !this.#closing.signal.aborted) {
      lane.again = false;
      this.clock.clearTimeout(lane.timer);
      try {
        nextMs = await lane.delivery.run(this.#closing.signal);
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        this.warn(error instanceof Error ? error.message : String(error));
        nextMs = QUEUE_RETRY_MS;
      }
    }
    lane.running = undefined;
    if (nextMs === undefined || this.#closing.signal.aborted) return;
    lane.timer = this.clock.setTimeout(() => this.#start(lane), nextMs);
    lane.timer.unref?.();
  }
}
