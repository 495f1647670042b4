import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Knows the requests in flight, and tells clients to leave once draining has begun.
 *
 * `Connection: close` makes Node close the connection after the response, and a client that reads it opens a
 * new one, with luck elsewhere. Without it the client sends its next request into a connection that is about
 * to die. A connection that was opened after draining began is left alone until the listener closes: its
 * client found no other place, and would only come back at once. Such a stream of reconnects means that the
 * kernel's queue is never empty, and closing the listener would reset the connections in it.
 */
export class ResponseTracker {
  readonly #inFlight = new Set<ServerResponse>();
  /** Connections that carried a request before draining began. */
  readonly #early = new WeakSet<Socket>();
  #waiting: (() => void)[] = [];
  #phase: 'serving' | 'draining' | 'closing' = 'serving';

  /** Number of responses that are not finished. */
  get size(): number {
    return this.#inFlight.size;
  }

  /** Takes note of a response. Adding one twice is harmless. */
  add(response: ServerResponse): void {
    if (this.#inFlight.has(response)) return;
    this.#inFlight.add(response);
    // 'close' follows a finished response as well as a client that left.
    response.once('close', () => this.#remove(response));
    if (this.#phase === 'serving') this.#early.add(response.req.socket);
    else this.#askToLeave(response);
  }

  /** From now on answers on the connections known so far carry `Connection: close`. */
  beginDrain(): void {
    this.#enter('draining');
  }

  /** From now on every answer carries `Connection: close`. */
  beginClose(): void {
    this.#enter('closing');
  }

  /** Resolves when no response is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #enter(phase: 'draining' | 'closing'): void {
    this.#phase = phase;
    for (const response of this.#inFlight) this.#askToLeave(response);
  }

  #askToLeave(response: ServerResponse): void {
    if (response.headersSent) return;
    if (this.#phase === 'closing' || this.#early.has(response.req.socket)) {
      response.setHeader('Connection', 'close');
    }
  }

  #remove(response: ServerResponse): void {
    this.#inFlight.delete(response);
    if (this.#inFlight.size > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
