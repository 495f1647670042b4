/** Lets inline tasks pass, or keeps them until it opens. */
export class InlineGate {
  #closed: PromiseWithResolvers<void> | undefined;

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  close(): void {
    this.#closed ??= Promise.withResolvers<void>();
  }

  open(): void {
    this.#closed?.resolve();
    this.#closed = undefined;
  }

  /** @throws the signal's reason, when it aborts while waiting */
  async passed(signal: AbortSignal): Promise<void> {
    while (this.#closed) {
      signal.throwIfAborted();
      const { promise, reject } = Promise.withResolvers<never>();
      const onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await Promise.race([this.#closed.promise, promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    }
  }
}
