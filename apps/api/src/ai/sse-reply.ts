import { type FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { failureOf } from '../problem/failures.js';

/**
 * Sends lots of data as server-sent events, each lot at once. The first lot is waited for, so that what fails before it is answered as
 * a problem with its status; what fails later ends the stream with an error event, in the protocol's form, and without `[DONE]`.
 */
export async function sendEvents(
  reply: FastifyReply,
  lots: AsyncGenerator<readonly string[]>,
): Promise<void> {
  const first = await lots.next();
  const body = Readable.from(framed(first.done ? [] : first.value, lots), { objectMode: false });
  await reply
    .header('Content-Type', 'text/event-stream; charset=utf-8')
    .header('Cache-Control', 'no-store')
    // nginx would hold the events back to fill its buffers.
    .header('X-Accel-Buffering', 'no')
    .send(body);
}

async function* framed(first: readonly string[], lots: AsyncGenerator<readonly string[]>) {
  try {
    yield frame(first);
    for await (const lot of lots) yield frame(lot);
  } catch (error) {
    const { code, detail } = failureOf(error);
    yield frame([JSON.stringify({ error: { message: detail, type: 'server_error', param: null, code } })]);
  }
}

function frame(lot: readonly string[]): string {
  return lot.map((it) => `data: ${it}\n\n`).join('');
}
