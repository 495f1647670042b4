import { strict as assert } from 'node:assert';
import { MODIFIED_AT } from '../probe-fixture.js';
import { assertStatus, assertWhole, checksOf, type ProbedServer } from '../probe-check.js';

const at = MODIFIED_AT.toUTCString();
const before = new Date(MODIFIED_AT.getTime() - 1_000).toUTCString();
const after = new Date(MODIFIED_AT.getTime() + 1_000).toUTCString();

/** Headers made from the file's tag, and the status of the answer. */
const answers =
  (status: number, headersOf: (etag: string) => Record<string, string>, method = 'GET') =>
  async (server: ProbedServer) => {
    const answer = await server.get('app.js', headersOf(await server.etagOf('app.js')), method);
    assertStatus(answer, status);
    if (status === 200 && method === 'GET') assertWhole(answer, 'app.js');
    if (status === 304) assert.equal(answer.body.length, 0, 'a 304 has content');
  };

export const CONDITION_CHECKS = checksOf('conditions', {
  'sends a strong tag': async (server) => assert.match(await server.etagOf('app.js'), /^"[^"]+"$/),
  'sends the same tag again': async (server) =>
    assert.equal(await server.etagOf('app.js'), await server.etagOf('app.js')),
  'gives each coding its own tag': async (server) => {
    const accepts = ['identity', 'gzip', 'br'];
    const tags = await Promise.all(accepts.map((it) => server.etagOf('app.js', { 'Accept-Encoding': it })));
    assert.equal(new Set(tags).size, 3, tags.join(' '));
  },
  'gives other contents other tags': async (server) =>
    assert.notEqual(await server.etagOf('app.js'), await server.etagOf('app.3f2a1b9c.js')),
  'If-None-Match with the tag: 304': answers(304, (it) => ({ 'If-None-Match': it })),
  'If-None-Match with the weak form of the tag: 304': answers(304, (it) => ({ 'If-None-Match': `W/${it}` })),
  'If-None-Match with the tag in a list: 304': answers(304, (it) => ({
    'If-None-Match': `"a,b", ${it}, "c"`,
  })),
  'If-None-Match with a tight list: 304': answers(304, (it) => ({ 'If-None-Match': `"a",W/${it}` })),
  'If-None-Match: *: 304': answers(304, () => ({ 'If-None-Match': '*' })),
  'If-None-Match with another tag: 200': answers(200, () => ({ 'If-None-Match': '"other"' })),
  'If-None-Match with a part of the tag: 200': answers(200, (it) => ({
    'If-None-Match': `${it.slice(0, -2)}"`,
  })),
  'If-None-Match on HEAD: 304': answers(304, (it) => ({ 'If-None-Match': it }), 'HEAD'),
  'the tag of another coding does not match': async (server) => {
    const etag = await server.etagOf('app.js', { 'Accept-Encoding': 'br' });
    assertWhole(await server.get('app.js', { 'If-None-Match': etag }), 'app.js');
  },
  'the tag of the same coding matches': async (server) => {
    const headers = { 'Accept-Encoding': 'br' };
    const etag = await server.etagOf('app.js', headers);
    assertStatus(await server.get('app.js', { ...headers, 'If-None-Match': etag }), 304);
  },
  'a 304 has tag and Cache-Control': async (server) => {
    const full = await server.get('app.js');
    const answer = await server.get('app.js', { 'If-None-Match': full.header('etag') ?? '' });
    for (const it of ['etag', 'cache-control']) assert.equal(answer.header(it), full.header(it), it);
  },
  'If-Modified-Since the same moment: 304': answers(304, () => ({ 'If-Modified-Since': at })),
  'If-Modified-Since later: 304': answers(304, () => ({ 'If-Modified-Since': after })),
  'If-Modified-Since before: 200': answers(200, () => ({ 'If-Modified-Since': before })),
  'If-Modified-Since nonsense: 200': answers(200, () => ({ 'If-Modified-Since': 'yesterday' })),
  'If-None-Match counts before If-Modified-Since': answers(200, () => ({
    'If-None-Match': '"other"',
    'If-Modified-Since': after,
  })),
  'If-Match with the tag: 200': answers(200, (it) => ({ 'If-Match': it })),
  'If-Match with a list: 200': answers(200, (it) => ({ 'If-Match': `"a", ${it}` })),
  'If-Match: *: 200': answers(200, () => ({ 'If-Match': '*' })),
  'If-Match with another tag: 412': answers(412, () => ({ 'If-Match': '"other"' })),
  'If-Match with the weak form: 412': answers(412, (it) => ({ 'If-Match': `W/${it}` })),
  'If-Unmodified-Since before: 412': answers(412, () => ({ 'If-Unmodified-Since': before })),
  'If-Unmodified-Since the same moment: 200': answers(200, () => ({ 'If-Unmodified-Since': at })),
  'If-Match counts before If-Unmodified-Since': answers(200, (it) => ({
    'If-Match': it,
    'If-Unmodified-Since': before,
  })),
  'If-Match counts before If-None-Match': answers(412, (it) => ({
    'If-Match': '"other"',
    'If-None-Match': it,
  })),
});
