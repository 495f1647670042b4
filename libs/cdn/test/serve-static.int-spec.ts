import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveStatic, type ServeStaticOptions } from '../src/middleware/serve-static.js';
import { ask, type RawAnswer } from '../src/testing/index.js';
import { closeServer, listen } from './listening.js';

const FILES = {
  'todo.txt': '- groceries',
  'todo.html': '<li>groceries</li>',
  'nums.txt': '123456789',
  'empty.txt': '',
  'foo bar': 'baz',
  '.hidden': 'I am hidden',
  'users/index.html': '<p>tobi, loki, jane</p>',
  'users/tobi.txt': 'ferret',
  'pets/names.txt': 'tobi,loki',
  'snow ☃/.gitkeep': '',
};

type Prepare = (request: IncomingMessage & { originalUrl?: string }, response: ServerResponse) => void;

/** Behaviours that the README and the users of serve-static rely on. */
describe('serveStatic', () => {
  let root: string;
  const servers: Server[] = [];
  const serve = async (options?: ServeStaticOptions, prepare?: Prepare, folder = root) => {
    const handler = serveStatic(folder, options);
    const server = createServer((request, response) => {
      prepare?.(request, response);
      handler(request, response, (error) => {
        response.statusCode = (error as { status?: number } | undefined)?.status ?? (error ? 500 : 404);
        response.end(error ? error.stack : 'sorry!');
      });
    });
    servers.push(server);
    const base = await listen(server);
    return (path: string, headers = {}, method = 'GET'): Promise<RawAnswer> =>
      ask(base, { path, headers, method });
  };
  const mounted =
    (parts: number): Prepare =>
    (request) => {
      request.originalUrl = request.url;
      request.url = `/${request.url?.split('/').slice(parts).join('/')}`;
    };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'peregrine-serve-static-'));
    for (const [path, content] of Object.entries(FILES)) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), content);
    }
  });
  afterAll(async () => {
    await Promise.all(servers.map(closeServer));
    await rm(root, { recursive: true, force: true });
  });

  it('refuses wrong arguments as serve-static does', () => {
    expect(() => serveStatic('')).toThrow(/root path required/);
    expect(() => serveStatic(42 as unknown as string)).toThrow(/root path.*string/);
    expect(() => serveStatic('/', { setHeaders: 3 as never })).toThrow(/setHeaders.*function/);
  });

  it('serves files with its headers, and with no others', async () => {
    const get = await serve();
    const answer = await get('/todo.txt');
    expect(answer.text).toBe('- groceries');
    const names = answer.headers.map(([name]) => name.toLowerCase()).sort();
    expect(names).toEqual([
      'accept-ranges',
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'etag',
      'last-modified',
    ]);
    expect(answer.header('cache-control')).toBe('public, max-age=0');
    expect(answer.header('content-type')).toBe('text/plain; charset=utf-8');
    expect((await get('/foo%20bar')).text).toBe('baz');
    expect((await get('/users/../todo.txt')).text).toBe('- groceries');
    expect((await get('/users/')).text).toBe('<p>tobi, loki, jane</p>');
    expect((await get('/empty.txt')).status).toBe(200);
    expect((await get('/todo.txt', {}, 'HEAD')).text).toBe('');
    expect((await get('/todo.txt', { 'If-None-Match': answer.header('etag') })).status).toBe(304);
    expect((await get('/todo.txt', { 'If-Match': '"foo"' })).status).toBe(412);
  });

  it.each<[string, ServeStaticOptions, string, number, RegExp]>([
    ['.hidden', {}, '/.hidden', 404, /sorry/],
    ['dotfiles: allow', { dotfiles: 'allow' }, '/.hidden', 200, /I am hidden/],
    ['dotfiles: deny', { dotfiles: 'deny', fallthrough: false }, '/.hidden', 403, /ForbiddenError/],
    ['no extensions', {}, '/todo', 404, /sorry/],
    ['an extension', { extensions: 'txt' }, '/todo', 200, /- groceries/],
    ['extensions', { extensions: ['htm', 'html', 'txt'] }, '/todo', 200, /<li>/],
    ['extensions: false', { extensions: false }, '/todo', 404, /sorry/],
    ['another index', { index: ['none.html', 'names.txt'] }, '/pets/', 200, /tobi,loki/],
    ['index: false', { index: false }, '/users/', 404, /sorry/],
    ['redirect: false', { redirect: false }, '/users', 404, /sorry/],
    ['a folder without an index', {}, '/pets/', 404, /sorry/],
    ['a file with a slash behind', {}, '/todo.txt/', 404, /sorry/],
    ['malformed', {}, '/%', 404, /sorry/],
    ['malformed, no fallthrough', { fallthrough: false }, '/%', 400, /BadRequestError/],
    ['outside', {}, '/users/../../todo.txt', 404, /sorry/],
    [
      'outside, no fallthrough',
      { fallthrough: false },
      '/users/%2e%2e/%2e%2e/todo.txt',
      403,
      /ForbiddenError/,
    ],
    ['missing, no fallthrough', { fallthrough: false }, '/pets/', 404, /NotFoundError|ENOENT/],
  ])('%s', async (_, options, path, status, text) => {
    const answer = await (await serve(options))(path);
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
  });

  it('names the fault of the system when the root can not be', async () => {
    const get = await serve({ fallthrough: false }, undefined, root + '/foobar'.repeat(10_000));
    expect((await get('/')).text).toMatch(/ENAMETOOLONG/);
  });

  it('leaves other methods to the next handler, or refuses them', async () => {
    expect((await (await serve())('/todo.txt', {}, 'OPTIONS')).text).toBe('sorry!');
    const answer = await (await serve({ fallthrough: false }))('/todo.txt', {}, 'OPTIONS');
    expect([answer.status, answer.header('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each<[ServeStaticOptions, string | undefined]>([
    [{ maxAge: 12_000 }, 'public, max-age=12'],
    [{ maxAge: '30d' }, 'public, max-age=2592000'],
    [{ maxAge: '2 days' }, 'public, max-age=172800'],
    [{ maxAge: '500ms' }, 'public, max-age=0'],
    [{ maxAge: Infinity }, 'public, max-age=31536000'],
    [{ maxAge: 'soon' }, 'public, max-age=0'],
    [{ maxAge: -1 }, 'public, max-age=0'],
    [{ maxAge: '1h', immutable: true }, 'public, max-age=3600, immutable'],
    [{ maxAge: '1h', immutable: true, cacheControl: false }, undefined],
  ])('%j: Cache-Control %s', async (options, cacheControl) => {
    expect((await (await serve(options))('/nums.txt')).header('cache-control')).toBe(cacheControl);
  });

  it('leaves validators and ranges out when it is told to', async () => {
    const get = await serve({ etag: false, lastModified: false, acceptRanges: false });
    const answer = await get('/nums.txt', { Range: 'bytes=0-3' });
    expect([answer.status, answer.text]).toEqual([200, '123456789']);
    for (const it of ['etag', 'last-modified', 'accept-ranges']) expect(answer.header(it)).toBeUndefined();
  });

  it('sends ranges, and an error for those outside', async () => {
    const get = await serve();
    const part = await get('/nums.txt', { Range: 'bytes=2-50' });
    expect([part.status, part.text, part.header('content-range')]).toEqual([206, '3456789', 'bytes 2-8/9']);
    const outside = await get('/nums.txt', { Range: 'bytes=9-50' });
    expect([outside.status, outside.header('content-range')]).toEqual([416, 'bytes */9']);
    expect((await get('/nums.txt', { Range: 'bytes=0-1,5-6' })).text).toBe('123456789');
  });

  it('redirects folders, within the path they were asked for', async () => {
    const get = await serve({}, (request, response) => {
      request.url = request.url?.replace(/\/snow(\/|$)/, '/snow ☃$1') ?? '';
      if (request.url.includes('pets')) response.setHeader('Content-Security-Policy', "default-src 'self'");
    });
    expect((await get('//users')).header('location')).toBe('/users/');
    expect((await get('/users?name=john')).header('location')).toBe('/users/?name=john');
    const snow = await get('/snow');
    expect([snow.status, snow.header('location')]).toEqual([301, '/snow%20%E2%98%83/']);
    expect(snow.text).toMatch(/>Redirecting to \/snow%20%E2%98%83\/</);
    expect((await get('/users')).header('content-security-policy')).toBe("default-src 'none'");
    expect((await get('/pets')).all('content-security-policy')).toEqual(["default-src 'self'"]);
    const below = await serve({}, mounted(3));
    expect((await below('/static/users')).header('location')).toBe('/static/users/');
    expect((await below('//todo@txt')).header('location')).toBe('/todo@txt/');
    const index = await serve({}, mounted(2), join(root, 'users'));
    expect((await index('/users')).header('location')).toBe('/users/');
  });

  it('serves a file that is mounted as the root', async () => {
    const get = await serve({}, mounted(2), join(root, 'todo.txt'));
    expect((await get('/todo')).text).toBe('- groceries');
    expect((await get('/todo/')).status).toBe(404);
  });

  it('calls setHeaders for files alone, with path and facts of the file', async () => {
    const calls: [string, number][] = [];
    const setHeaders: ServeStaticOptions['setHeaders'] = (response, path, stats) => {
      calls.push([path, stats.size]);
      response.setHeader('X-Custom', 'set');
      response.setHeader('Cache-Control', 'no-cache');
    };
    const get = await serve({ setHeaders });
    expect((await get('/nums.txt')).header('x-custom')).toBe('set');
    expect((await get('/nums.txt')).all('cache-control')).toEqual(['no-cache']);
    expect((await get('/bogus')).header('x-custom')).toBeUndefined();
    expect((await get('/users')).header('x-custom')).toBeUndefined();
    expect(calls).toEqual(Array.from({ length: 2 }, () => [expect.stringMatching(/nums\.txt$/), 9]));
  });

  it('keeps the status that a handler before it has set', async () => {
    const get = await serve({}, (_, response) => (response.statusCode = 500));
    const answer = await get('/todo.txt', { 'If-None-Match': '*' });
    expect([answer.status, answer.text]).toEqual([500, '- groceries']);
  });

  it('compresses when it is asked to', async () => {
    const get = await serve({ compression: { minBytes: 1 } });
    const answer = await get('/todo.html', { 'Accept-Encoding': 'gzip' });
    expect(answer.header('vary')).toBe('Accept-Encoding');
  });
});
