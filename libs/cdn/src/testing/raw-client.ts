import { connect } from 'node:net';

/** A request as it goes over the wire. */
export interface RawRequest {
  /** @default 'GET' */
  readonly method?: string;
  /** The target, sent as it stands here. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer as it came over the wire. */
export class RawAnswer {
  constructor(
    readonly status: number,
    /** One pair a line, in the order of arrival. */
    readonly headers: readonly (readonly [name: string, value: string])[],
    /** With codings, without chunks. */
    readonly body: Buffer,
  ) {}

  /** The first line of that name. */
  header(name: string): string | undefined {
    return this.all(name)[0];
  }

  all(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.headers.filter(([it]) => it.toLowerCase() === wanted).map(([, value]) => value);
  }

  get text(): string {
    return this.body.toString('latin1');
  }
}

/** Turns a hang into a failure; says nothing about speed. */
const SILENCE_MS = 20_000;

/** Sends one request on a connection of its own and reads to the end, with nothing in between that corrects either. */
export async function ask(base: URL, { method = 'GET', path, headers = {} }: RawRequest): Promise<RawAnswer> {
  const lines = { Host: base.host, Connection: 'close', ...headers };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  const received = await exchange(base, `${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`);
  const [answer] = readAnswers(received, method === 'HEAD');
  if (!answer)
    throw new Error(`No answer to ${method} ${path}: ${JSON.stringify(received.toString('latin1', 0, 80))}`);
  return answer;
}

/** Sends text as it is and gives all that comes back until the connection ends. */
export function exchange(base: URL, text: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(base.port || 80), base.hostname, () => socket.write(text, 'latin1'));
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error('The server fell silent')));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A server may refuse a request while it still arrives.
    socket.on('error', (error) => (chunks.length > 0 ? resolve(Buffer.concat(chunks)) : reject(error)));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** Takes a row of answers apart. */
export function readAnswers(received: Buffer, isHead = false): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = received; ;) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = end === -1 ? [] : rest.toString('latin1', 0, end).split('\r\n');
    const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine) ?? [];
    if (status === undefined) return answers;
    const headers = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    });
    const head = new RawAnswer(Number(status), headers, Buffer.alloc(0));
    const { body, taken } = readBody(head, rest.subarray(end + 4), isHead);
    answers.push(new RawAnswer(head.status, headers, body));
    rest = rest.subarray(end + 4 + taken);
  }
}

function readBody(head: RawAnswer, rest: Buffer, isHead: boolean): { body: Buffer; taken: number } {
  if (isHead || head.status === 304 || head.status === 204) {
    // There must be nothing; what comes before the next answer is content that should not be there.
    const next = rest.indexOf('HTTP/1.');
    const taken = next === -1 ? rest.length : next;
    return { body: rest.subarray(0, taken), taken };
  }
  if (head.header('transfer-encoding')?.includes('chunked')) return readChunks(rest);
  const length = head.header('content-length');
  const taken = length === undefined ? rest.length : Math.min(Number(length), rest.length);
  return { body: rest.subarray(0, taken), taken };
}

function readChunks(rest: Buffer): { body: Buffer; taken: number } {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf('\r\n', at);
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    if (lineEnd === -1 || !(size > 0))
      return { body: Buffer.concat(chunks), taken: Math.max(lineEnd, at) + 4 };
    chunks.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
