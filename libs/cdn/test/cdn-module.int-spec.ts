import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import {
  buildRelease,
  Cdn,
  CdnModule,
  CdnOptionsError,
  type CdnOptionsInput,
  CdnRootError,
} from '../src/index.js';
import { ask, PROBE_CHECKS, runProbe, writeProbeFixture } from '../src/testing/index.js';

@Controller('api')
class HelloController {
  @Get('hello')
  hello() {
    return 'hello';
  }
}

describe('CdnModule', () => {
  let parent: string;
  let root: string;
  let app: NestFastifyApplication | undefined;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'peregrine-cdn-module-'));
    root = await writeProbeFixture(parent);
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await rm(parent, { recursive: true, force: true });
  });

  const start = async (options: Partial<CdnOptionsInput> = {}) => {
    @Module({
      imports: [
        CdnModule.forRootAsync({
          useFactory: () => ({ origins: [{ root, prefix: '/static' }], ...options }),
        }),
      ],
      controllers: [HelloController],
    })
    class AppModule {}
    app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('onRequest', (_, reply, done) => {
      void reply.header('X-Request-Id', 'one');
      done();
    });
    await app.listen(0, '127.0.0.1');
    return new URL(await app.getUrl());
  };

  it('serves files beside the routes, with the headers that hooks set', async () => {
    const base = await start();
    expect((await ask(base, { path: '/api/hello' })).text).toBe('hello');
    const answer = await ask(base, { path: '/static/letters.txt' });
    expect([answer.status, answer.text, answer.header('x-request-id')]).toEqual([
      200,
      'abcdefghijklmnopqrstuvwxyz',
      'one',
    ]);
    expect((await ask(base, { path: '/static' })).header('location')).toBe('/static/');
    const post = await ask(base, {
      path: '/static/letters.txt',
      method: 'POST',
      headers: { 'Content-Length': '0' },
    });
    expect([post.status, post.header('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('passes the probe below a prefix', async () => {
    const base = new URL('static/', await start());
    const checks = PROBE_CHECKS.filter((it) => it.group !== 'paths');
    const problems = (await runProbe(base, { checks })).filter((it) => it.problem !== undefined);
    expect(problems.map(({ check, problem }) => `${check.title}: ${problem}`)).toEqual([]);
  });

  it('leaves what is not there to the application when it is told to', async () => {
    const base = await start({ notFound: 'application' });
    expect(JSON.parse((await ask(base, { path: '/static/none.js' })).text)).toMatchObject({
      statusCode: 404,
    });
  });

  it('gives URLs of the current release, and figures', async () => {
    const target = join(parent, 'target');
    await buildRelease({ source: root, target, brotliQuality: 1 });
    const origins: CdnOptionsInput['origins'] = [{ root: target, prefix: '/static' }];
    const base = await start({ origins, baseUrl: 'https://cdn.example.com' });
    const cdn = (app as NestFastifyApplication).get(Cdn);
    const url = new URL(cdn.getCdnUrl('app.js'));
    expect(url.href).toMatch(/^https:\/\/cdn\.example\.com\/static\/app\.[0-9a-f]{12}\.js$/);
    expect(cdn.integrityOf('app.js')).toMatch(/^sha384-/);
    expect(cdn.manifest().current?.manifest['app.js']?.file).toBe(url.pathname.slice('/static/'.length));
    const answer = await ask(base, { path: url.pathname, headers: { 'Accept-Encoding': 'br' } });
    expect(answer.header('cache-control')).toBe('public, max-age=31536000, immutable');
    const families = Object.fromEntries(cdn.collect().map(({ name, samples }) => [name, samples]));
    expect(families['cdn_saved_bytes_total']?.[0]?.value).toBeGreaterThan(1_000);
    expect(families['cdn_responses_total']).toContainEqual({
      labels: { prefix: '/static', result: 'ok' },
      value: 1,
    });
    expect(families['cdn_live_releases']).toEqual([{ labels: { prefix: '/static' }, value: 1 }]);
  });

  it('has the hit ratio of the edge where one writes a log, else its own', async () => {
    const edgeLog = join(parent, 'access.log');
    await ask(await start({ edgeLog }), { path: '/static/letters.txt' });
    const ratios = () => {
      const families = (app as NestFastifyApplication).get(Cdn).collect();
      return families.find(({ name }) => name === 'cdn_cache_hit_ratio')?.samples;
    };
    expect(ratios()).toEqual([{ labels: { prefix: '/static', source: 'origin' }, value: 0 }]);
    await writeFile(edgeLog, '{"cache":"HIT","bytes":1}\n{"cache":"MISS","bytes":1}\n');
    while (ratios()?.[0]?.labels?.['source'] === 'origin') await new Promise(setImmediate);
    expect(ratios()).toEqual([{ labels: { source: 'nginx' }, value: 0.5 }]);
  });

  it('compresses what other parts of the application make', async () => {
    await start();
    const cdn = (app as NestFastifyApplication).get(Cdn);
    const text = '{"answer":42}'.repeat(200);
    const { content, coding, headers } = await cdn.processResource(text, 'a.json', 'gzip, br');
    expect([brotliDecompressSync(content).toString(), coding]).toEqual([text, 'br']);
    expect(headers).toMatchObject({
      'Content-Encoding': 'br',
      Vary: 'Accept-Encoding',
      'Content-Type': 'application/json',
    });
    expect((await cdn.processResource(text, 'a.json', 'gzip, br')).content).toBe(content);
    expect(await cdn.processResource(text, 'a.png', 'br')).toMatchObject({ coding: 'identity' });
    expect(await cdn.processResource(text, 'a.json', 'br;q=0')).toMatchObject({ coding: 'identity' });
    expect(await cdn.processResource('short', 'a.json', 'br')).toMatchObject({ coding: 'identity' });
  });

  it('does not start on wrong options or a missing folder', async () => {
    const two = { origins: [{ root }, { root }] as CdnOptionsInput['origins'] };
    await expect(start(two)).rejects.toThrow(CdnOptionsError);
    app = undefined;
    await expect(start({ origins: [{ root: join(root, 'none') }] })).rejects.toThrow(CdnRootError);
    app = undefined;
  });

  it('works in a context without a server', async () => {
    await mkdir(join(parent, 'empty'));
    await writeFile(join(parent, 'empty', 'a.js'), '1');
    const module = await Test.createTestingModule({
      imports: [CdnModule.forRoot({ origins: [{ root: join(parent, 'empty') }] })],
    }).compile();
    await module.init();
    expect(module.get(Cdn).getCdnUrl('a.js')).toBe('/a.js');
    await module.close();
  });
});
