import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const CONNECTIONS = 32;

/** The last byte of the answer's JSON; no header ends with it. */
const END = '}'.charCodeAt(0);

/** Asks once; rejects when the answer is not 200. */
export async function askOnce(port: number, request: string): Promise<void> {
  const socket = await open(port);
  const answered = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(request);
  const [answer] = await answered;
  socket.destroy();
  if (!answer.toString().startsWith('HTTP/1.1 200')) throw new Error(`Answered ${answer.toString()}`);
}

/**
 * Asks on many connections, the next as soon as one is answered, and looks at nothing but the end: answers that tell their
 * time are not all of one length.
 *
 * @returns the number of answers
 */
export async function runHello(port: number, request: string, forMs: number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  let answers = 0;
  let isOver = false;
  for (const socket of sockets) {
    socket.on('data', (chunk: Buffer) => {
      if (isOver || chunk.at(-1) !== END) return;
      answers++;
      socket.write(request);
    });
    socket.write(request);
  }
  await new Promise((resolve) => setTimeout(resolve, forMs));
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
