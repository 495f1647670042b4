import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { ResponseTracker } from './response-tracker.js';

/** Turns of the event loop without a new connection after which the kernel's queue counts as empty. */
const QUIET_TURNS = 3;

/** Longest wait for a quiet queue, turns of the event loop. */
const MAX_TURNS = 1_000;

/**
 * How long an idle connection stays open after the listener closed, milliseconds. A client that sends its
 * next request in that time gets its answer and reads `Connection: close`.
 */
const LINGER_MS = 1_000;

/**
 * Closes a listening server without failing a request: takes in what waits in the kernel's queue, stops
 * accepting, lets every request in flight finish, and only then closes idle connections.
 *
 * `http.Server.close` would close idle connections at once, while clients may still be writing to them.
 */
export async function closeListener(server: Server, responses: ResponseTracker): Promise<void> {
  await acceptWaitingConnections(server);
  responses.beginClose();
  const abort = new AbortController();
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  }).finally(() => abort.abort());
  await Promise.race([closed, endConnections(server, responses, abort.signal)]);
  // A Fastify server on `localhost` has siblings on the other addresses. They close with the first one.
  await responses.idle();
}

/**
 * A connection that the kernel has accepted and Node has not is reset when the listener closes, with the
 * request in it. libuv accepts one connection a turn of its loop, so we wait until some turns bring none.
 */
async function acceptWaitingConnections(server: Server): Promise<void> {
  let quietTurns = 0;
  const onConnection = (): void => {
    quietTurns = 0;
  };
  server.on('connection', onConnection);
  for (let turn = 0; turn < MAX_TURNS && quietTurns < QUIET_TURNS; turn += 1) {
    quietTurns += 1;
    await nextTurn();
  }
  server.off('connection', onConnection);
}

async function endConnections(
  server: Server,
  responses: ResponseTracker,
  closed: AbortSignal,
): Promise<void> {
  do {
    await responses.idle();
    await linger(closed);
    // A client may have come back in the meantime.
  } while (responses.size > 0);
  // These are idle, or never sent a whole request: browsers open connections in advance.
  server.closeAllConnections();
}

/** Waits `LINGER_MS`, or until every connection has ended. */
async function linger(closed: AbortSignal): Promise<void> {
  try {
    await delay(LINGER_MS, undefined, { signal: closed });
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}
