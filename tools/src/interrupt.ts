/** Ctrl-C arrives from the terminal, from npm and from the bootstrap: what follows this closely is one wish. */
const SAME_WISH_MS = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A person's wish to end. */
export interface Interrupt {
  /** Aborted at the first signal: end in order. */
  readonly stop: AbortSignal;
  /** Aborted at a second one: end at once. */
  readonly force: AbortSignal;
  /** Gives the signals back to the system. */
  dispose(): void;
}

/** Takes over SIGINT, SIGTERM and SIGHUP of this process. */
export function listenForInterrupt(): Interrupt {
  const stop = new AbortController();
  const force = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort();
    } else if (performance.now() - firstAt > SAME_WISH_MS) {
      force.abort();
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    force: force.signal,
    dispose: () => SIGNALS.forEach((signal) => process.off(signal, onSignal)),
  };
}

/** Resolves when the signal is aborted, now or later. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
