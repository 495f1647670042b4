import { PROBE_FILES, SECRET } from './probe-fixture.js';
import { exchange, type RawAnswer, readAnswers } from './raw-client.js';

export interface FuzzOptions {
  /** How many requests. */
  readonly requests: number;
  /** The same seed makes the same requests. */
  readonly seed: number;
  /** Called after each batch with the number of requests that are done. */
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  readonly requests: number;
  /** Number of answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** What must not be: an error of the server, a byte from outside of the folder, a broken connection. */
  readonly problems: readonly string[];
}

const BATCH = 50;
const MOST_PROBLEMS = 20;
/** Of whole files no more than the largest, and parts of it with their heads. */
const MOST_BODY_BYTES = PROBE_FILES['large.bin'].length + 100_000;

const PATH_PIECES = [
  ...[
    '..',
    '.',
    '%2e',
    '%2E%2e',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    '//',
    '/',
    '/',
    '/',
    '%00',
    '%0d%0a',
    '%zz',
    '%',
    '%c0%ae',
  ],
  ...[
    '%252e',
    '%25',
    '%u002e',
    ';',
    '?',
    '#',
    '..;',
    '....',
    '~',
    ':',
    'C:',
    '%e2%80%ae',
    '%ff',
    '%61',
    '*',
    '@',
    '&',
  ],
  ...[
    'outside.txt',
    'public',
    'public-sibling',
    'file.txt',
    '.secret',
    '.hidden',
    'leak.txt',
    'etc',
    'passwd',
    'sub',
  ],
  ...[
    'index.html',
    'app.js',
    'letters.txt',
    'pre.js',
    'pre.js.br',
    'empty.txt',
    'app.3f2a1b9c.js',
    'logo.png',
    'a',
  ],
];
const RANGE_PIECES = [
  ...[
    '0',
    '1',
    '5',
    '25',
    '26',
    '-',
    '-',
    '-',
    ',',
    ',',
    ' ',
    '\t',
    '=',
    '9007199254740993',
    '18446744073709551616',
  ],
  ...[
    '-1',
    '0-',
    '0-0',
    '3-1',
    '99999999999999999999',
    '1e3',
    '0x1',
    '1.5',
    '+1',
    'bytes',
    'items',
    ';',
    '*',
    '"',
  ],
];
const TAG_PIECES = ['"', 'W/', '*', ',', ' ', 'a', '""', '"a"', 'Fri, 02 Jan 2026 03:04:05 GMT', '\\', 'é'];
const CODING_PIECES = [
  'br',
  'gzip',
  'zstd',
  'identity',
  '*',
  ';q=',
  ';q=0',
  '0.5',
  '1',
  ',',
  ' ',
  ';',
  '=',
  'x',
  '-1',
];

/**
 * Sends requests that nobody would: paths and headers from pieces that have broken servers. The folder must be the
 * fixture of the probe.
 */
export async function runFuzz(base: URL, { requests, seed, onProgress }: FuzzOptions): Promise<FuzzReport> {
  const random = randomOf(seed);
  const statuses: Record<number, number> = {};
  const problems: string[] = [];
  const note = (problem: string) => problems.length < MOST_PROBLEMS && problems.push(problem);
  for (let done = 0; done < requests;) {
    const amount = Math.min(BATCH, requests - done);
    const lines = Array.from({ length: amount }, () => requestOf(random, base));
    const heads = lines.map((it, i) => `${it}${i === amount - 1 ? 'Connection: close\r\n' : ''}\r\n`);
    const received = await exchange(base, heads.join('')).catch((error: Error) => error);
    if (received instanceof Error)
      note(`the connection broke: ${received.message}, one of ${JSON.stringify(lines.slice(0, 3))} …`);
    else if (received.includes(SECRET))
      note(`a byte from outside, in one of ${JSON.stringify(lines)}`.slice(0, 2_000));
    const answers = received instanceof Error ? [] : readAnswers(received);
    // A server may end the connection with a request that is none; with another one it may not.
    if (answers.length < amount && answers.at(-1)?.status !== 400 && !(received instanceof Error)) {
      note(`no answer to ${JSON.stringify(lines[answers.length])}`);
    }
    for (const [i, answer] of answers.entries()) {
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const problem = problemWith(answer);
      if (problem !== undefined) note(`${problem}: ${JSON.stringify(lines[i])}`);
    }
    done += amount;
    onProgress?.(done);
  }
  return { requests, statuses, problems };
}

function problemWith({ status, body, headers }: RawAnswer): string | undefined {
  if (status >= 500) return `status ${status}`;
  if (body.length > MOST_BODY_BYTES) return `${body.length} bytes`;
  return headers.some(([name]) => name.toLowerCase() === 'x-injected') ? 'an injected header' : undefined;
}

/** The head of a GET, without its last line. */
function requestOf(random: () => number, base: URL): string {
  const from = (pieces: readonly string[], most: number) =>
    Array.from(
      { length: 1 + Math.floor(random() * most) },
      () => pieces[Math.floor(random() * pieces.length)],
    ).join('');
  const path = base.pathname.replace(/\/$/, '') + `/${from(PATH_PIECES, 8)}`;
  const file = Object.keys(PROBE_FILES)[Math.floor(random() * 8)] as string;
  // Half of them reach a file, so that the headers count.
  const target = random() < 0.5 ? path : `${base.pathname.replace(/\/$/, '')}/${encodeURI(file)}`;
  const headers: [name: string, value: () => string][] = [
    ['Range', () => (random() < 0.8 ? `bytes=${from(RANGE_PIECES, 8)}` : from(RANGE_PIECES, 8))],
    ['If-Range', () => from(TAG_PIECES, 4)],
    ['If-None-Match', () => from(TAG_PIECES, 6)],
    ['If-Match', () => from(TAG_PIECES, 4)],
    ['If-Modified-Since', () => from(TAG_PIECES, 3)],
    ['Accept-Encoding', () => from(CODING_PIECES, 8)],
  ];
  const chosen = headers.filter(() => random() < 0.3).map(([name, value]) => `${name}: ${value()}\r\n`);
  return `GET ${target.replaceAll(' ', '%20')} HTTP/1.1\r\nHost: ${base.host}\r\n${chosen.join('')}`;
}

/** Mulberry32: small, fast, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
