import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { CdnOptionsError, CdnRootError } from '../src/cdn.errors.js';
import { Origin } from '../src/origin/origin.js';
import type { OriginOptionsInput } from '../src/origin/origin.options.js';
import { FileBody } from '../src/origin/file-body.js';
import { ask } from '../src/testing/index.js';
import { closeServer, listen } from './listening.js';

const MIB = 1024 * 1024;
const CODE = 'const answer = 42;\n'.repeat(200);

describe('Origin', () => {
  let parent: string;
  let root: string;
  let folders = 0;
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'peregrine-cdn-origin-'));
  });
  beforeEach(async () => {
    root = join(parent, `root-${folders++}`);
    await mkdir(root);
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  const put = (path: string, content: string | Buffer) => writeFile(join(root, path), content);
  const originOf = (options: Partial<OriginOptionsInput> = {}) =>
    new Origin({ root, revalidateMs: 0, ...options });
  const get = async (origin: Origin, url: string, headers: Record<string, string> = {}, method = 'GET') => {
    const { status, body, headers: lines } = await origin.handle({ method, url, headers });
    const chunks = body instanceof FileBody ? [] : [body ?? Buffer.alloc(0)];
    if (body instanceof FileBody) for await (const chunk of body.stream()) chunks.push(chunk);
    const pairs = lines.flatMap((name, i) =>
      i % 2 === 0 ? [[name.toLowerCase(), lines[i + 1]] as const] : [],
    );
    return { status, body: Buffer.concat(chunks), header: Object.fromEntries(pairs) };
  };

  it('refuses options that it does not know, and roots that are none', async () => {
    expect(() => new Origin({ root, revalidateMs: -1, indexx: 'a' } as OriginOptionsInput)).toThrow(
      CdnOptionsError,
    );
    expect(() => new Origin({ root, prefix: '/static/' })).toThrow(/no "\/" at the end/);
    await expect(new Origin({ root: join(root, 'none') }).open()).rejects.toThrow(CdnRootError);
    await put('file', '');
    await expect(new Origin({ root: join(root, 'file') }).open()).rejects.toMatchObject({ code: 'CDN_ROOT' });
  });

  it('serves below a prefix, and nothing beside it', async () => {
    await put('a.js', CODE);
    const origin = originOf({ prefix: '/static' });
    expect((await get(origin, '/static/a.js')).status).toBe(200);
    expect((await get(origin, '/static')).header['location']).toBe('/static/');
    expect((await get(origin, '/a.js')).status).toBe(404);
    expect((await get(origin, '/static../a.js')).status).toBe(404);
    expect((await get(origin, '/staticx/a.js')).status).toBe(404);
    expect((await get(origin, '/static/../a.js')).status).toBe(404);
  });

  it('notices a changed, a replaced and a deleted file', async () => {
    await put('a.txt', 'one');
    const origin = originOf();
    const first = await get(origin, '/a.txt');
    await put('a.txt', 'two');
    const second = await get(origin, '/a.txt');
    expect([first.body.toString(), second.body.toString()]).toEqual(['one', 'two']);
    expect(second.header['etag']).not.toBe(first.header['etag']);
    await put('b.txt', 'three');
    await rename(join(root, 'b.txt'), join(root, 'a.txt'));
    expect((await get(origin, '/a.txt')).body.toString()).toBe('three');
    await rm(join(root, 'a.txt'));
    expect((await get(origin, '/a.txt')).status).toBe(404);
  });

  it('answers from memory without a promise until it is time to look again', async () => {
    await put('a.js', CODE);
    const origin = originOf({ revalidateMs: 3_600_000 });
    const request = { method: 'GET', url: '/a.js', headers: { 'accept-encoding': 'br' } };
    expect(origin.handle(request)).toBeInstanceOf(Promise);
    await origin.handle(request);
    expect(origin.handle(request)).toMatchObject({ status: 200 });
    expect(origin.statistics()).toMatchObject({ memoryHits: 1, memoryResources: 1, responses: { ok: 3 } });
  });

  it('keeps memory within its bounds', async () => {
    const maxBytes = 400_000;
    const origin = originOf({ memory: { maxBytes, maxFileBytes: 100_000 }, revalidateMs: 60_000 });
    for (let i = 0; i < 40; i++) await put(`${i}.bin`, Buffer.alloc(50_000, i));
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 40; i++) {
        expect((await get(origin, `/${i}.bin`)).body.equals(Buffer.alloc(50_000, i))).toBe(true);
        expect(origin.statistics().memoryBytes).toBeLessThanOrEqual(maxBytes);
      }
    }
    expect(origin.statistics().memoryResources).toBeGreaterThan(3);
    const full = origin.statistics().memoryBytes;
    expect(origin.limitMemory(0.5)).toBe(full - origin.statistics().memoryBytes);
    expect(origin.statistics().memoryBytes).toBeLessThanOrEqual(maxBytes / 2);
    origin.limitMemory(0);
    expect((await get(origin, '/1.bin')).body.equals(Buffer.alloc(50_000, 1))).toBe(true);
    expect(origin.statistics().memoryBytes).toBe(0);
    origin.limitMemory(1);
    await get(origin, '/1.bin');
    expect(origin.statistics().memoryBytes).toBeGreaterThan(0);
    origin.clear();
    expect(origin.statistics()).toMatchObject({ memoryBytes: 0, memoryResources: 0 });
  });

  it('sends the same tag in each process, and large files from the disk', async () => {
    await put('large.bin', Buffer.alloc(3 * MIB, 7));
    const options = { memory: { maxFileBytes: MIB }, chunkBytes: 65_536 };
    const [one, two] = [
      await get(originOf(options), '/large.bin'),
      await get(originOf(options), '/large.bin'),
    ];
    expect(one.header['etag']).toBe(two.header['etag']);
    expect(one.body.equals(Buffer.alloc(3 * MIB, 7))).toBe(true);
    const range = await get(originOf(options), '/large.bin', { range: 'bytes=0-1,3145726-' });
    expect(range.header['content-type']).toMatch(/^multipart\/byteranges/);
    expect(range.body.length).toBe(Number(range.header['content-length']));
  });

  it('uses compressed neighbours that hold the file, and no others', async () => {
    await put('a.js', CODE);
    await put('a.js.br', brotliCompressSync('something else'));
    const origin = originOf();
    const wrong = await get(origin, '/a.js', { 'accept-encoding': 'br' });
    expect(brotliDecompressSync(wrong.body).toString()).toBe(CODE);
    const right = brotliCompressSync(CODE);
    await put('b.js', CODE);
    await put('b.js.br', right);
    expect((await get(origin, '/b.js', { 'accept-encoding': 'br' })).body.equals(right)).toBe(true);
    expect((await get(origin, '/b.js.br')).status).toBe(404);
    await put('lone.js.gz', 'x');
    expect((await get(origin, '/lone.js.gz')).header['content-type']).toBe('application/gzip');
    const precompressed = originOf({ compression: { onTheFly: false, precompressed: true } });
    const answers = [
      await get(precompressed, '/a.js', { 'accept-encoding': 'br' }),
      await get(precompressed, '/b.js', { 'accept-encoding': 'br' }),
    ];
    expect(answers.map((it) => it.header['content-encoding'])).toEqual([undefined, 'br']);
    expect(answers.map((it) => it.header['vary'])).toEqual(['Accept-Encoding', 'Accept-Encoding']);
  });

  it('uses neighbours of large files that are not older', async () => {
    const options = { memory: { maxFileBytes: 100 } };
    await put('a.js', CODE);
    await put('a.js.br', brotliCompressSync(CODE));
    const old = new Date(0);
    await utimes(join(root, 'a.js'), old, old);
    const fresh = await get(originOf(options), '/a.js', { 'accept-encoding': 'br' });
    expect(brotliDecompressSync(fresh.body).toString()).toBe(CODE);
    await utimes(join(root, 'a.js'), new Date(), new Date());
    await utimes(join(root, 'a.js.br'), old, old);
    expect(
      (await get(originOf(options), '/a.js', { 'accept-encoding': 'br' })).header['content-encoding'],
    ).toBeUndefined();
  });

  it('does not compress when it is switched off, and says what may vary when that may change', async () => {
    await put('a.js', CODE);
    const header = { 'accept-encoding': 'br' };
    const off = await get(originOf({ compression: { enabled: false } }), '/a.js', header);
    expect([off.header['content-encoding'], off.header['vary']]).toEqual([undefined, undefined]);
    let isOn = false;
    const live = originOf({ compression: { enabled: () => isOn } });
    const before = await get(live, '/a.js', header);
    expect([before.header['content-encoding'], before.header['vary']]).toEqual([
      undefined,
      'Accept-Encoding',
    ]);
    isOn = true;
    expect((await get(live, '/a.js', header)).header['content-encoding']).toBe('br');
    expect(live.statistics().savedBytes).toBeGreaterThan(CODE.length / 2);
  });

  it('follows links within the root, and a root that is switched', async () => {
    await mkdir(join(root, 'one'));
    await mkdir(join(root, 'two'));
    await put('one/a.txt', 'one');
    await put('two/a.txt', 'two');
    await symlink('one', join(root, 'current'));
    const origin = new Origin({ root: join(root, 'current'), revalidateMs: 0 });
    await symlink('a.txt', join(root, 'one/link.txt'));
    await symlink('../two/a.txt', join(root, 'one/leak.txt'));
    expect((await get(origin, '/link.txt')).body.toString()).toBe('one');
    expect((await get(origin, '/leak.txt')).status).toBe(404);
    await symlink('two', join(root, 'next'));
    await rename(join(root, 'next'), join(root, 'current'));
    expect((await get(origin, '/a.txt')).body.toString()).toBe('two');
  });

  it('hands large files to nginx', async () => {
    await put('große datei.bin', Buffer.alloc(2_000));
    const origin = originOf({ accelRedirect: { location: '/internal', minBytes: 1_000 } });
    const answer = await get(origin, '/gro%C3%9Fe%20datei.bin');
    expect(answer.header['x-accel-redirect']).toBe('/internal/gro%C3%9Fe%20datei.bin');
    expect(answer.body.length).toBe(0);
    await put('small.bin', Buffer.alloc(10));
    expect((await get(origin, '/small.bin')).header['x-accel-redirect']).toBeUndefined();
  });

  it('serves neither folders, nor what it may not read', async () => {
    await mkdir(join(root, 'folder'));
    await put('closed.txt', 'closed');
    await chmod(join(root, 'closed.txt'), 0);
    const origin = originOf();
    expect((await get(origin, '/folder/')).status).toBe(404);
    // Root may read everything.
    expect((await get(origin, '/closed.txt')).status).toBe(process.getuid?.() === 0 ? 200 : 403);
  });

  describe('over a connection', () => {
    let server: Server;
    afterAll(() => closeServer(server));

    it('cuts the connection when a file becomes shorter while it is sent', async () => {
      await put('large.bin', Buffer.alloc(64 * MIB));
      const origin = originOf({ chunkBytes: 65_536 });
      server = createServer(origin.listener);
      const base = await listen(server);
      const response = await fetch(new URL('/large.bin', base));
      const reader = response.body?.getReader();
      await reader?.read();
      await truncate(join(root, 'large.bin'), 1_000);
      const rest = async () => {
        while (!(await reader?.read())?.done);
      };
      await expect(rest()).rejects.toThrow();
      expect((await ask(base, { path: '/large.bin' })).body.length).toBe(1_000);
    });
  });
});
