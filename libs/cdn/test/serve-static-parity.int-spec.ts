import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import theirs from 'serve-static';
import { serveStatic as ours, type ServeStaticOptions } from '../src/index.js';
import { ask } from '../src/testing/index.js';
import { closeServer, listen } from './listening.js';

const FILES = {
  'site/letters.txt': 'abcdefghijklmnopqrstuvwxyz',
  'site/about.html': '<h1>About</h1>',
  'site/about.json': '{}',
  'site/empty.css': '',
  'site/noextension': 'plain',
  'site/data.bin': '\0\x01\x02',
  'site/with space & more.txt': 'spaced',
  'site/hundred%.txt': 'percent',
  'site/naïve.txt': 'accent',
  'site/.secret': 'hidden',
  'site/.well-known/security.txt': 'contact',
  'site/docs/index.html': '<h1>Docs</h1>',
  'site/docs/other.htm': '<h1>Other</h1>',
  'site/bare/only.txt': 'only',
  'secret.txt': 'outside',
  'site-twin/secret.txt': 'outside',
};
/** The same for both, and no file is newer than the others. */
const MODIFIED = new Date('2026-01-02T03:04:05.678Z');
const COMPARED = [
  'Accept-Ranges',
  'Allow',
  'Cache-Control',
  'Content-Encoding',
  'Content-Range',
  'Content-Type',
  'Last-Modified',
  'Location',
  'Vary',
  'X-Set',
];

interface Question {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

const PATHS = [
  '/letters.txt',
  '/about',
  '/about.html',
  '/empty.css',
  '/noextension',
  '/data.bin',
  '/with%20space%20&%20more.txt',
  '/hundred%25.txt',
  '/na%C3%AFve.txt',
  '/letters.txt?v=1',
  '/letters.txt/',
  '/letters.txt/more',
  '/none.txt',
  '/.secret',
  '/.well-known/security.txt',
  '/docs',
  '/docs?a=b&c',
  '/docs/',
  '/docs//',
  '/docs/index.html',
  '/bare',
  '/bare/',
  '/',
  '/?a',
  '//docs',
  '///docs',
  '/docs/../letters.txt',
  '/docs/./index.html',
  '/docs/%2e%2e/letters.txt',
  '/../secret.txt',
  '/docs/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/docs/%2e%2e/%2e%2e/secret.txt',
  '/../site-twin/secret.txt',
  '/../site/letters.txt',
  '/%',
  '/%zz',
  '/%c3',
  '/letters.txt%00',
  '/%00letters.txt',
  `/${'x'.repeat(300)}`,
  `/${'y/'.repeat(3_000)}`,
] as const;
const RANGES = [
  'bytes=0-4',
  'bytes=0-0',
  'bytes=2-',
  'bytes=-3',
  'bytes=20-90',
  'bytes=26-',
  'bytes=90-99',
  'bytes=5-2',
  'bytes=0-1,3-4',
  'bytes=-0',
  'bytes=',
  'bytes=a-b',
  'letters=0-1',
  'nonsense',
];
const OPTIONS: readonly ServeStaticOptions[] = [
  {},
  { fallthrough: false },
  { redirect: false },
  { redirect: false, fallthrough: false },
  { index: false },
  { index: ['none.html', 'other.htm'] },
  { dotfiles: 'allow' },
  { dotfiles: 'deny' },
  { dotfiles: 'deny', fallthrough: false },
  { extensions: ['html', 'json'] },
  { extensions: ['none', 'json'] },
  { extensions: false, maxAge: '2h', immutable: true },
  { cacheControl: false, lastModified: false, acceptRanges: false },
  { setHeaders: (response) => void response.setHeader('X-Set', 'one') },
];

type Seen = Readonly<Record<string, string | number | undefined>>;

const OF_FILE = ['Accept-Ranges', 'Cache-Control', 'Content-Type', 'Last-Modified'];
const without = (names: readonly string[]): Seen => Object.fromEntries(names.map((it) => [it, undefined]));

/** Where we differ, and what we answer then. */
const DIFFERENCES: readonly {
  readonly why: string;
  readonly is: (its: Seen, question: Question) => boolean;
  readonly ours: Seen;
}[] = [
  {
    why: 'a redirect is nothing to keep, and names its charset as everything else does',
    is: ({ status }) => status === 301,
    ours: { 'Cache-Control': 'no-store', 'Content-Type': 'text/html; charset=utf-8' },
  },
  {
    why: 'a 304 repeats what a cache renews, and the tag is enough of a validator (RFC 9110, section 15.4.5)',
    is: ({ status }) => status === 304,
    ours: without(['Accept-Ranges', 'Last-Modified']),
  },
  {
    why: 'a failure has no headers of the file: caches would keep it as long',
    is: ({ status }) => status === 412 || status === 416,
    ours: without(OF_FILE),
  },
  {
    why: 'a range that ends before it begins is none, and is ignored (RFC 9110, section 14.1.1)',
    is: (_, { headers }) => headers?.['Range'] === 'bytes=5-2',
    ours: {
      ...{
        status: 200,
        text: FILES['site/letters.txt'],
        'Content-Range': undefined,
        'Accept-Ranges': 'bytes',
      },
      ...{ 'Cache-Control': 'public, max-age=0', 'Content-Type': 'text/plain; charset=utf-8' },
      'Last-Modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
    },
  },
  {
    why: 'a condition holds also for who says no-cache, which is for the caches on the way (RFC 9111, section 5.2.1.4)',
    is: (_, { headers }) => headers?.['Cache-Control'] === 'no-cache',
    ours: {
      status: 304,
      text: '',
      ...without(['Accept-Ranges', 'Content-Type', 'Last-Modified']),
    },
  },
  {
    why: 'JSON has no parameter charset (RFC 8259, section 11)',
    is: (its) => its['Content-Type'] === 'application/json; charset=utf-8',
    ours: { 'Content-Type': 'application/json' },
  },
  {
    why: 'a link leads out of the folder for nobody',
    is: (_, { path }) => path === '/link.txt',
    ours: { status: 404, text: 'the next handler', ...without(OF_FILE) },
  },
];

const expectedOf = (its: Seen, question: Question): Seen =>
  DIFFERENCES.filter((it) => it.is(its, question)).reduce<Seen>(
    (sum, { ours }) => ({ ...sum, ...ours }),
    its,
  );

describe('serveStatic beside the serve-static of Express', () => {
  let parent: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'peregrine-serve-parity-'));
    for (const [path, content] of Object.entries(FILES)) {
      await mkdir(join(parent, path, '..'), { recursive: true });
      await writeFile(join(parent, path), content);
      await utimes(join(parent, path), MODIFIED, MODIFIED);
    }
    await symlink(join(parent, 'secret.txt'), join(parent, 'site/link.txt'));
  });
  afterAll(async () => {
    await Promise.all(servers.map(closeServer));
    await rm(parent, { recursive: true, force: true });
  });

  const start = async (make: typeof theirs, options: ServeStaticOptions) => {
    const handler = make(join(parent, 'site'), options);
    const server = createServer((request, response) => {
      handler(request, response, (error) => {
        const { status = 500, name = '' } = (error ?? {}) as { status?: number; name?: string };
        response.writeHead(error ? status : 404).end(error ? name : 'the next handler');
      });
    });
    servers.push(server);
    const base = await listen(server);
    return async (question: Question): Promise<Seen> => {
      const answer = await ask(base, question);
      const headers = Object.fromEntries(COMPARED.map((name) => [name, answer.header(name)] as const));
      // What a redirect says to people is its own.
      const text = answer.status === 301 ? '' : answer.text;
      return { status: answer.status, text, ...headers };
    };
  };

  const compare = async (options: ServeStaticOptions, questions: readonly Question[]) => {
    const [ask1, ask2] = [await start(ours, options), await start(theirs, options)];
    const differences: unknown[] = [];
    for (const question of questions) {
      const [own, its] = [await ask1(question), await ask2(question)];
      const expected = expectedOf(its, question);
      const wrong = Object.keys(expected).filter((name) => own[name] !== expected[name]);
      for (const name of wrong)
        differences.push({ question, name, own: own[name], expected: expected[name] });
    }
    return differences;
  };

  it.each(OPTIONS.map((it) => [JSON.stringify(it), it] as const))(
    '%s: the same answers',
    async (_, options) => {
      const questions = PATHS.flatMap((path): Question[] => [{ path }, { path, method: 'HEAD' }]);
      expect(await compare(options, questions)).toEqual([]);
    },
  );

  it('a link out of the folder', async () => {
    expect(await compare({}, [{ path: '/link.txt' }])).toEqual([]);
  });

  it('the same ranges', async () => {
    const questions = RANGES.map((it): Question => ({ path: '/letters.txt', headers: { Range: it } }));
    expect(await compare({}, questions)).toEqual([]);
    expect(await compare({ fallthrough: false }, questions)).toEqual([]);
  });

  it('the same methods and conditions', async () => {
    const date = (ms: number) => new Date(MODIFIED.getTime() + ms).toUTCString();
    const conditions: Record<string, string>[] = [
      { 'If-None-Match': '*' },
      { 'If-None-Match': '"a", W/"b"' },
      { 'If-Match': '*' },
      { 'If-Match': '"a"' },
      { 'If-Modified-Since': date(0) },
      { 'If-Modified-Since': date(-5_000) },
      { 'If-Modified-Since': 'never' },
      { 'If-Unmodified-Since': date(0) },
      { 'If-Unmodified-Since': date(-5_000) },
      { 'If-Modified-Since': date(0), 'Cache-Control': 'no-cache' },
      { Range: 'bytes=0-1', 'If-Range': date(0) },
      { Range: 'bytes=0-1', 'If-Range': date(-5_000) },
      { Range: 'bytes=0-1', 'If-Range': '"a"' },
    ];
    const questions = [
      ...['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => ({ path: '/letters.txt', method })),
      ...conditions.map((headers) => ({ path: '/letters.txt', headers })),
    ];
    for (const options of [{}, { fallthrough: false }]) expect(await compare(options, questions)).toEqual([]);
  });
});
