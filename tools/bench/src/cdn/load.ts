import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const CONNECTIONS = 32;

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly forMs: number;
}

/** One answer: its head, and how many bytes the whole takes. */
export interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly sizeBytes: number;
}

/** Asks once, to learn how long the answers are. */
export async function askOnce(load: Omit<Load, 'forMs'>): Promise<Answer> {
  const socket = await open(load.port);
  socket.write(requestOf(load));
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) continue;
    const head = received.toString('latin1', 0, end);
    const status = Number(head.slice(9, 12));
    const length = status === 304 ? 0 : Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (received.length >= end + 4 + length) {
      return { status, etag: /etag: (.*)/i.exec(head)?.[1], sizeBytes: end + 4 + length };
    }
  }
  throw new Error(`No whole answer to ${load.path}`);
}

/**
 * Asks for the same thing on many connections, the next as soon as one is answered. Counts bytes and reads nothing, so
 * that the server is the one who works.
 *
 * @returns the number of answers
 */
export async function runLoad(load: Load, { sizeBytes }: Answer): Promise<number> {
  const request = requestOf(load);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(load.port)));
  let answers = 0;
  let isOver = false;
  for (const socket of sockets) {
    let missing = sizeBytes;
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0 || isOver) return;
      answers++;
      missing += sizeBytes;
      socket.write(request);
    });
    socket.write(request);
  }
  await new Promise((resolve) => setTimeout(resolve, load.forMs));
  isOver = true;
  for (const socket of sockets) socket.destroy();
  return answers;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

function requestOf({ path, headers }: Omit<Load, 'forMs'>): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
