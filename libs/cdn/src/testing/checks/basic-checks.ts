import { strict as assert } from 'node:assert';
import { lintHeaders } from '../../policy/policy-linter.js';
import { PROBE_FILES, type ProbeFile } from '../probe-fixture.js';
import { assertStatus, assertWhole, checksOf, type ProbedServer } from '../probe-check.js';
import { exchange, readAnswers } from '../raw-client.js';

const typed = (file: ProbeFile, type: RegExp) => async (server: ProbedServer) =>
  assert.match((await server.get(file)).header('content-type') ?? '', type);
const refused = (method: string) => async (server: ProbedServer) => {
  const answer = await server.get('letters.txt', { 'Content-Length': '0' }, method);
  assertStatus(answer, 405);
  assert.match(answer.header('allow') ?? '', /GET/, 'no Allow with GET');
};
const seconds = (header: string | undefined) => Number(/max-age=(\d+)/.exec(header ?? '')?.[1] ?? Number.NaN);

export const BASIC_CHECKS = checksOf('basics', {
  'sends a file': async (server) => assertWhole(await server.get('letters.txt'), 'letters.txt'),
  'sends an empty file': async (server) => assertWhole(await server.get('empty.txt'), 'empty.txt'),
  'sends a large file whole': async (server) => assertWhole(await server.get('large.bin'), 'large.bin'),
  'finds a name with a space': async (server) => assertWhole(await server.get('foo bar.txt'), 'foo bar.txt'),
  'finds a name beyond ASCII': async (server) => assertWhole(await server.get('ünï.txt'), 'ünï.txt'),
  'names the type of HTML': typed('index.html', /^text\/html; ?charset=utf-8$/i),
  'names the type of JavaScript': typed('app.js', /^(text|application)\/javascript/),
  'names the type of CSS': typed('site.css', /^text\/css/),
  'names the type of JSON': typed('data.json', /^application\/json/),
  'names the type of PNG': typed('logo.png', /^image\/png$/),
  'answers HEAD as GET, without the content': async (server) => {
    const [get, head] = [await server.get('letters.txt'), await server.get('letters.txt', {}, 'HEAD')];
    assertStatus(head, 200);
    assert.equal(head.body.length, 0, 'HEAD has content');
    for (const name of ['content-type', 'content-length', 'etag', 'last-modified', 'cache-control']) {
      assert.equal(head.header(name), get.header(name), `another ${name} than GET`);
    }
  },
  'answers 404 for what is not there': async (server) =>
    assertStatus(await server.ask({ path: '/nothing.js' }), 404),
  'answers 404 for a file with a slash behind': async (server) =>
    assertStatus(await server.ask({ path: '/letters.txt/' }), 404),
  '* lets nobody keep a 404 for long': async (server) => {
    const control = (await server.ask({ path: '/gone.3f2a1b9c.js' })).header('cache-control');
    assert.match(control ?? '', /no-store|no-cache|max-age=\d{1,3}\b/, `Cache-Control: ${control}`);
  },
  'refuses POST with Allow': refused('POST'),
  'refuses DELETE with Allow': refused('DELETE'),
  'serves the index of a folder': async (server) =>
    assert.equal((await server.ask({ path: '/sub/' })).text, PROBE_FILES['sub/index.html'].toString()),
  'redirects a folder to its slash, query kept': async (server) => {
    const answer = await server.ask({ path: '/sub?a=1' });
    assertStatus(answer, 301, 302, 303, 307, 308);
    assert.match(answer.header('location') ?? '', /\/sub\/\?a=1$/);
  },
  'says when a file was modified': async (server) =>
    assert.equal((await server.get('letters.txt')).header('last-modified'), 'Fri, 02 Jan 2026 03:04:05 GMT'),
  'sends one Date': async (server) => assert.equal((await server.get('letters.txt')).all('date').length, 1),
  'ignores a query': async (server) => {
    const answer = await server.ask({ path: '/letters.txt?a=/../b&%zz' });
    assert.ok(answer.body.equals(PROBE_FILES['letters.txt']));
  },
  'answers pipelined requests in order': async (server) => {
    const line = (path: string, more = '') => `GET ${server.target(path)} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const text = line('/letters.txt') + line('/nothing') + line('/empty.txt', 'Connection: close\r\n');
    const answers = readAnswers(await exchange(server.base, text));
    assert.deepEqual(
      answers.map((it) => it.status),
      [200, 404, 200],
    );
  },
  'answers HTTP/1.0': async (server) => {
    const text = `GET ${server.target('/letters.txt')} HTTP/1.0\r\n\r\n`;
    const [answer] = readAnswers(await exchange(server.base, text));
    assert.equal(answer?.status, 200);
  },
  '* sends nosniff': async (server) =>
    assert.equal((await server.get('app.js')).header('x-content-type-options'), 'nosniff'),
  '* keeps a hashed name for a year, unchanging': async (server) => {
    const control = (await server.get('app.3f2a1b9c.js')).header('cache-control');
    assert.match(control ?? '', /immutable/);
    assert.ok(seconds(control) >= 31_536_000, `Cache-Control: ${control}`);
  },
  '* never calls an unhashed name immutable': async (server) => {
    for (const file of ['app.js', 'index.html', 'logo.png'] as const) {
      assert.doesNotMatch((await server.get(file)).header('cache-control') ?? '', /immutable/, file);
    }
  },
  '* lets a browser ask for a page each time, and a CDN keep it': async (server) => {
    const answer = await server.get('index.html');
    assert.equal(seconds(answer.header('cache-control')), 0);
    assert.ok(seconds(answer.header('cdn-cache-control')) > 0, 'no CDN-Cache-Control');
  },
  '* sends headers that the linter accepts': async (server) => {
    for (const file of Object.keys(PROBE_FILES) as ProbeFile[]) {
      const { headers } = await server.get(file);
      const isNegotiable = /\.(html|js|css|json)$/.test(file);
      const found = lintHeaders({ headers, isHashed: file.includes('3f2a1b9c'), isNegotiable });
      assert.deepEqual(found, [], `${file}: ${found[0]?.message}`);
    }
  },
});
