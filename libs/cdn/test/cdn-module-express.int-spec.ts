import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { All, Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CdnModule, type CdnOptionsInput } from '../src/index.js';
import { ask, runFuzz, runProbe, writeProbeFixture } from '../src/testing/index.js';

@Controller()
class HelloController {
  @Get('api/hello')
  hello() {
    return 'hello';
  }

  /** Takes whatever nobody before it has answered. */
  @All('*rest')
  anything() {
    return 'the application';
  }
}

describe('CdnModule in an application on Express', () => {
  let parent: string;
  let root: string;
  let app: NestExpressApplication | undefined;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'peregrine-cdn-express-'));
    root = await writeProbeFixture(parent);
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await rm(parent, { recursive: true, force: true });
  });

  const start = async (prefix: string, options: Partial<CdnOptionsInput> = {}) => {
    @Module({
      imports: [CdnModule.forRoot({ origins: [{ root, prefix }], ...options })],
      controllers: [HelloController],
    })
    class AppModule {}
    app = await NestFactory.create<NestExpressApplication>(AppModule, new ExpressAdapter(), {
      logger: false,
    });
    app.use((_: IncomingMessage, response: ServerResponse, next: () => void) => {
      response.setHeader('X-Request-Id', 'one');
      next();
    });
    await app.listen(0, '127.0.0.1');
    return new URL(await app.getUrl());
  };

  it('passes every check of the probe', async () => {
    const results = await runProbe(await start(''));
    const problems = results.filter((it) => it.problem !== undefined);
    expect(problems.map(({ check, problem }) => `${check.group}: ${check.title}: ${problem}`)).toEqual([]);
  });

  it('survives 1,000 requests that nobody would send', async () => {
    const { problems } = await runFuzz(await start(''), { requests: 1_000, seed: 20_261_121 });
    expect(problems).toEqual([]);
  });

  it('answers before the routes, with the headers that middleware has set', async () => {
    const base = await start('/static');
    const answer = await ask(base, { path: '/static/letters.txt' });
    expect([answer.status, answer.text, answer.header('x-request-id')]).toEqual([
      200,
      'abcdefghijklmnopqrstuvwxyz',
      'one',
    ]);
    expect((await ask(base, { path: '/static/none.js' })).status).toBe(404);
    const redirect = await ask(base, { path: '/static?a=1' });
    expect([redirect.status, redirect.header('location')]).toEqual([301, '/static/?a=1']);
    const post = await ask(base, {
      path: '/static/letters.txt',
      method: 'POST',
      headers: { 'Content-Length': '0' },
    });
    expect([post.status, post.header('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('leaves to the routes what is theirs', async () => {
    const base = await start('/static');
    expect((await ask(base, { path: '/api/hello' })).text).toBe('hello');
    expect((await ask(base, { path: '/statics/letters.txt' })).text).toBe('the application');
  });

  it('leaves what is not there to the application when it is told to', async () => {
    const base = await start('/static', { notFound: 'application' });
    for (const method of ['GET', 'HEAD']) {
      expect((await ask(base, { path: '/static/none.js', method })).status).toBe(200);
    }
    expect((await ask(base, { path: '/static/none.js' })).text).toBe('the application');
    expect((await ask(base, { path: '/static/letters.txt' })).text).toBe('abcdefghijklmnopqrstuvwxyz');
  });
});
