import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CdnBuildError, CdnHashCollisionError, CdnManifestError } from '../src/cdn.errors.js';
import { Origin } from '../src/origin/origin.js';
import { AssetUrls } from '../src/versions/asset-urls.js';
import { type BuildReport, buildRelease, MANIFEST_NAME } from '../src/versions/build-release.js';
import type { Manifest } from '../src/versions/manifest.js';

const code = (name: string) => `const ${name} = 1;\n`.repeat(200);
const parents: string[] = [];

describe('releases', () => {
  let source: string;
  let target: string;
  beforeEach(async () => {
    const parent = await mkdtemp(join(tmpdir(), 'peregrine-cdn-releases-'));
    parents.push(parent);
    [source, target] = [join(parent, 'source'), join(parent, 'target')];
  });
  afterAll(() => Promise.all(parents.map((it) => rm(it, { recursive: true, force: true }))));

  const write = async (files: Record<string, string>, folder = source) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  };
  const build = (options: { graceMs?: number; target?: string } = {}) =>
    buildRelease({ source, target, brotliQuality: 4, gzipLevel: 6, zstdLevel: 3, ...options });
  const manifestOf = async ({ manifestPath }: BuildReport) =>
    JSON.parse(await readFile(manifestPath, 'utf8')) as Manifest;
  const status = async (origin: Origin, url: string) =>
    (await origin.handle({ method: 'GET', url, headers: {} })).status;
  const text = async (origin: Origin, url: string) => {
    const { body } = await origin.handle({ method: 'GET', url, headers: {} });
    return Buffer.isBuffer(body) ? body.toString() : undefined;
  };
  const cacheControl = async (origin: Origin, url: string) => {
    const { headers } = await origin.handle({ method: 'GET', url, headers: {} });
    return headers[headers.indexOf('Cache-Control') + 1];
  };

  it('names files by their content, compresses them and says what that saves', async () => {
    await write({ 'index.html': '<p>', 'assets/app.js': code('a'), 'logo.png': 'png' });
    const progress: number[] = [];
    const report = await buildRelease({ source, target, onProgress: ({ done }) => progress.push(done) });
    expect(progress).toEqual([1, 2, 3]);
    expect(report).toMatchObject({ isNew: true, files: 3, sizeBytes: code('a').length + 6, removedFiles: 0 });
    expect(report.compressed.sizeBytes).toBe(code('a').length);
    for (const it of ['br', 'gzip', 'zstd'] as const)
      expect(report.compressed[it]).toBeLessThan(code('a').length / 5);
    const manifest = await manifestOf(report);
    const hash = createHash('sha256').update(code('a')).digest('hex').slice(0, 12);
    const integrity = `sha384-${createHash('sha384').update(code('a')).digest('base64')}`;
    const entry = { file: `assets/app.${hash}.js`, src: 'assets/app.js', hash, integrity };
    expect(manifest['assets/app.js']).toMatchObject(entry);
    const names = await readdir(join(target, 'assets'));
    const endings = ['', '.br', '.gz', '.zst'];
    expect(names.sort()).toEqual(
      ['app.js', `app.${hash}.js`].flatMap((it) => endings.map((end) => it + end)).sort(),
    );
  });

  it('knows what each release takes, in each coding', async () => {
    await write({ 'a.js': code('a'), 'logo.png': 'png' });
    const report = await build();
    await write({ 'b.js': code('b') });
    await build();
    const origin = await new Origin({ root: target }).open();
    const [current, older] = await Promise.all(origin.releases.known.live.map((it) => origin.sizesOf(it)));
    expect(current?.files).toBe(3);
    expect(older).toMatchObject({ files: 2, sizeBytes: report.sizeBytes });
    // What has no compressed form is sent as it is.
    for (const it of ['br', 'gzip', 'zstd'] as const)
      expect(older?.codedBytes[it]).toBe((report.compressed[it] ?? 0) + 'png'.length);
  });

  it('makes no new release of the same files', async () => {
    await write({ 'a.js': code('a') });
    const [first, second] = [await build(), await build()];
    expect(second).toEqual({ ...first, isNew: false });
  });

  it('writes URLs with hashes and integrity, in both styles', async () => {
    await write({ 'a b.js': code('a') });
    const { 'a b.js': entry } = await manifestOf(await build());
    const origin = await new Origin({ root: target }).open();
    const releases = () => origin.releases.known;
    const named = new AssetUrls(releases, { baseUrl: 'https://cdn.example.com/', prefix: '/static' });
    expect(named.getCdnUrl('/a b.js')).toBe(`https://cdn.example.com/static/a%20b.${entry?.hash}.js`);
    expect(named.getCdnUrl('other.js')).toBe('https://cdn.example.com/static/other.js');
    expect(named.integrityOf('a b.js')).toMatch(/^sha384-/);
    const queried = new AssetUrls(releases, { style: 'query' });
    expect(queried.getCdnUrl('a b.js')).toBe(`/a%20b.js?v=${entry?.hash}`);
    for (const url of [new AssetUrls(releases).getCdnUrl('a b.js'), queried.getCdnUrl('a b.js')]) {
      expect(await cacheControl(origin, url)).toMatch(/immutable/);
      expect(await text(origin, url)).toBe(code('a'));
    }
    expect(await cacheControl(origin, '/a%20b.js')).not.toMatch(/immutable/);
    expect(await cacheControl(origin, '/a%20b.js?v=0123456789ab')).not.toMatch(/immutable/);
  });

  it('keeps the files of replaced releases for the grace period, by name and by ?v=', async () => {
    await write({ 'index.html': 'one', 'a.js': code('a') });
    const old = (await manifestOf(await build()))['a.js'];
    const origin = await new Origin({ root: target, revalidateMs: 0 }).open();
    expect(await text(origin, '/')).toBe('one');
    await write({ 'index.html': 'two', 'a.js': code('b') });
    expect(await build()).toMatchObject({ isNew: true, removedFiles: 0 });
    expect(await text(origin, '/')).toBe('two');
    expect(await text(origin, '/a.js')).toBe(code('b'));
    expect(await text(origin, `/${old?.file}`)).toBe(code('a'));
    expect(await cacheControl(origin, `/${old?.file}`)).toMatch(/immutable/);
    expect(await text(origin, `/a.js?v=${old?.hash}`)).toBe(code('a'));
    expect(await build({ graceMs: 0 })).toMatchObject({ isNew: false, removedFiles: 2 });
    expect(await status(origin, `/${old?.file}`)).toBe(404);
    expect(await text(origin, `/a.js?v=${old?.hash}`)).toBe(code('b'));
    expect(origin.statistics().missingHashed).toBe(1);
  });

  it('switches all paths at one moment, while it is built and asked', async () => {
    const release = (n: number) =>
      Object.fromEntries(['a', 'b', 'c', 'd'].map((it) => [`${it}.txt`, `${it}${n}`]));
    await write(release(0));
    await build();
    const origin = await new Origin({ root: target, revalidateMs: 0 }).open();
    let isBuilding = true;
    const building = (async () => {
      for (let n = 1; n <= 8; n++) {
        await write(release(n));
        await build();
      }
      isBuilding = false;
    })();
    const seen = new Set<string>();
    while (isBuilding) {
      const answers: string[] = [];
      for (const it of ['a', 'b', 'c', 'd']) answers.push((await text(origin, `/${it}.txt`))?.slice(1) ?? '');
      // Never backwards: what was answered later is of the same release or of a newer one.
      expect(answers).toEqual([...answers].sort((x, y) => Number(x) - Number(y)));
      answers.forEach((it) => seen.add(it));
    }
    await building;
    expect(await text(origin, '/a.txt')).toBe('a8');
    expect(seen.size).toBeGreaterThan(1);
  });

  it('leaves names that Vite has hashed, and keeps what its manifest says', async () => {
    await write({
      'index.html': '<script src="/assets/index-BfIB5qxP.js">',
      'assets/index-BfIB5qxP.js': code('a'),
      'assets/index-D4mHg1_a.css': 'p {}',
      '.vite/manifest.json': JSON.stringify({
        'index.html': { file: 'assets/index-BfIB5qxP.js', isEntry: true, css: ['assets/index-D4mHg1_a.css'] },
        'src/late.ts': { file: 'assets/index-BfIB5qxP.js', isDynamicEntry: true },
      }),
    });
    const manifest = await manifestOf(await build());
    expect(manifest['index.html']).toMatchObject({ file: 'assets/index-BfIB5qxP.js', isEntry: true });
    expect(manifest['src/late.ts']?.integrity).toMatch(/^sha384-/);
    const origin = await new Origin({ root: target }).open();
    expect(await text(origin, '/')).toContain('<script');
    for (const it of ['index-BfIB5qxP.js', 'index-D4mHg1_a.css']) {
      expect(await cacheControl(origin, `/assets/${it}`)).toMatch(/immutable/);
    }
    expect((await readdir(join(target, 'assets'))).filter((it) => !/\.(br|gz|zst)$/.test(it))).toHaveLength(
      2,
    );
  });

  it('builds in place, again and again', async () => {
    await write({ 'index.html': 'one', 'a.js': code('a') });
    const inPlace = { target: source };
    expect(await build(inPlace)).toMatchObject({ files: 2 });
    expect(await build(inPlace)).toMatchObject({ files: 2, isNew: false });
    await write({ 'a.js': code('b') });
    expect(await build({ ...inPlace, graceMs: 0 })).toMatchObject({ files: 2, isNew: true });
    expect(await build({ ...inPlace, graceMs: 0 })).toMatchObject({ files: 2, isNew: false });
    expect(await readFile(join(source, 'a.js'), 'utf8')).toBe(code('b'));
    expect((await readdir(source)).filter((it) => /^a\..*js$/.test(it))).toHaveLength(2);
  });

  it('refuses a hashed name with another content', async () => {
    await write({ 'a.js': code('a') });
    const { 'a.js': entry } = await manifestOf(await build());
    await rm(join(target, '.cdn'), { recursive: true });
    await write({ [entry?.file ?? '']: 'changed by hand' }, target);
    await expect(build()).rejects.toThrow(CdnHashCollisionError);
    await expect(build()).rejects.toThrow(/delete the file/);
  });

  it('refuses folders that are not there, or empty, and manifests that do not parse', async () => {
    await expect(build()).rejects.toThrow(CdnBuildError);
    await mkdir(source);
    await expect(build()).rejects.toThrow(/holds no files/);
    await write({ 'a.js': 'a', '.vite/manifest.json': '{' });
    await expect(build()).rejects.toThrow(CdnManifestError);
    await write({ '.vite/manifest.json': '{"a": {"file": "../../etc/passwd"}}' });
    await expect(build()).rejects.toThrow(/below the folder/);
  });

  it('does not start on a release that does not parse, and keeps the last one when it comes later', async () => {
    await write({ 'a.txt': 'one' });
    await build();
    const origin = await new Origin({ root: target, revalidateMs: 0 }).open();
    await write({ '.cdn/releases/9999999999999-0123456789ab.json': '{"version": 1' }, target);
    expect(await text(origin, '/a.txt')).toBe('one');
    expect(origin.releases.lastError).toBeInstanceOf(CdnManifestError);
    await expect(new Origin({ root: target }).open()).rejects.toThrow(CdnManifestError);
  });

  it('neither serves nor lists what it keeps for itself', async () => {
    await write({ 'a.js': code('a') });
    await build();
    const origin = await new Origin({ root: target }).open();
    const [name] = await readdir(join(target, '.cdn/releases'));
    expect(await status(origin, `/.cdn/releases/${name}`)).toBe(404);
    expect(await status(origin, `/${MANIFEST_NAME}`)).toBe(200);
    await cp(target, source, { recursive: true });
    expect((await build({ target: source })).files).toBe(1);
  });
});
