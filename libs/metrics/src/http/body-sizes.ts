import { type IncomingMessage } from 'node:http';
import { type FastifyReply } from 'fastify';

/** Bytes of bodies without Content-Length, by request. */
const received = new WeakMap<IncomingMessage, number>();

/**
 * Begins to count the body of a request that does not say its length. Must be called before any of it was read. Others
 * cost one look at a header.
 */
export function countUnannounced(request: IncomingMessage): void {
  if (request.headers['transfer-encoding'] === undefined) return;
  received.set(request, 0);
  // Node's parser hands over every piece by this method: so nothing is read before whoever wants the body reads it.
  const push = request.push.bind(request);
  request.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk instanceof Uint8Array) received.set(request, (received.get(request) ?? 0) + chunk.length);
    return push(chunk, encoding);
  };
}

/** Body of the request, bytes: as announced, else as received. */
export function bodyBytesOf(request: IncomingMessage): number {
  const announced = request.headers['content-length'];
  // Node's parser lets nothing but digits through.
  if (announced !== undefined) return Number(announced);
  return received.get(request) ?? 0;
}

/**
 * What the connection has sent so far, for answers whose length only the connection will know; undefined for those that
 * announce it.
 */
export function sentBytesBefore(request: IncomingMessage, payload: unknown): number | undefined {
  if (payload === null || typeof payload !== 'object' || payload instanceof Uint8Array) return undefined;
  return request.socket.bytesWritten;
}

/**
 * Body of the response, bytes: as announced, else what the connection sent since {@link sentBytesBefore}, header and
 * chunk sizes included; undefined for a hijacked reply and one that broke off.
 */
export function sentBytes(
  request: IncomingMessage,
  reply: FastifyReply,
  { aborted, before }: { readonly aborted: boolean; readonly before: number | undefined },
): number | undefined {
  const { statusCode } = reply.raw;
  if (!aborted && (request.method === 'HEAD' || statusCode === 204 || statusCode === 304)) return 0;
  const announced = aborted ? undefined : reply.getHeader('content-length');
  if (announced !== undefined) return Number(announced);
  return before === undefined ? undefined : Math.max(0, request.socket.bytesWritten - before);
}
