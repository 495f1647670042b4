import { type ServerResponse } from 'node:http';

/** What is called when each response closes, in the order in which it was asked for. */
const callbacks = new WeakMap<ServerResponse, Set<() => void>>();

/**
 * Calls back once the response has closed, sent or not; at once when it has. All of a response share one listener: a dozen
 * parts look after each request, Fastify and its plugins add up to six of their own, and beyond ten Node warns of a leak.
 *
 * @returns ends the wait
 */
export function onResponseClose(response: ServerResponse, callback: () => void): () => void {
  if (response.closed) {
    callback();
    return () => undefined;
  }
  const waiting = callbacks.get(response) ?? listenTo(response);
  // Each its own: the same function may be given twice.
  const its = () => callback();
  waiting.add(its);
  return () => void waiting.delete(its);
}

function listenTo(response: ServerResponse): Set<() => void> {
  const waiting = new Set<() => void>();
  callbacks.set(response, waiting);
  response.once('close', () => {
    for (const callback of waiting) callback();
  });
  return waiting;
}
