import { strict as assert } from 'node:assert';
import { PROBE_FILES, type ProbeFile } from '../probe-fixture.js';
import { assertStatus, assertWhole, checksOf, type ProbedServer } from '../probe-check.js';

const sends =
  (accept: string | undefined, coding: string | undefined, file: ProbeFile = 'app.js') =>
  async (server: ProbedServer) => {
    const answer = await server.get(file, accept === undefined ? {} : { 'Accept-Encoding': accept });
    assertWhole(answer, file);
    assert.equal(
      answer.header('content-encoding'),
      coding,
      `Content-Encoding: ${answer.header('content-encoding')}`,
    );
  };
const varies =
  (headers: Record<string, string>, status: number, method = 'GET') =>
  async (server: ProbedServer) => {
    const answer = await server.get('app.js', headers, method);
    assertStatus(answer, status);
    assert.match(answer.header('vary') ?? '', /accept-encoding/i, 'no Vary');
  };

export const NEGOTIATION_CHECKS = checksOf('negotiation', {
  'sends what it has to a client that says nothing': sends(undefined, undefined),
  'sends what it has to a client that accepts nothing else': sends('', undefined),
  'sends brotli': sends('br', 'br'),
  'sends gzip': sends('gzip', 'gzip'),
  'prefers brotli among equals': sends('gzip, deflate, br', 'br'),
  'follows weights': sends('br;q=0.5, gzip;q=1', 'gzip'),
  'follows weights with spaces and capitals': sends('BR ; q=0.2 , GZIP ; Q=0.8', 'gzip'),
  'takes q=0 for a refusal': sends('gzip;q=0', undefined),
  'takes q=0.000 for a refusal': sends('br;q=0.000, gzip;q=0.001', 'gzip'),
  'lets a refusal stand beside *': sends('br;q=0, *', 'gzip'),
  'prefers identity where it weighs more': sends('identity;q=1, gzip;q=0.5', undefined),
  'does not take x-broken for br': sends('x-broken', undefined),
  'does not take gzipped for gzip': sends('gzipped', undefined),
  'knows x-gzip': sends('x-gzip', 'gzip'),
  'does not send identity where it is refused': async (server) => {
    const answer = await server.get('app.js', { 'Accept-Encoding': 'gzip, identity;q=0' });
    assert.equal(answer.header('content-encoding'), 'gzip');
  },
  '* answers 406 where everything is refused': async (server) => {
    const answer = await server.get('app.js', { 'Accept-Encoding': '*;q=0' });
    assert.ok(answer.status === 406 || answer.status === 415, `status ${answer.status}`);
  },
  'uses the compressed file beside a file': async (server) => {
    const answer = await server.get('pre.js', { 'Accept-Encoding': 'br' });
    assertWhole(answer, 'pre.js');
    assert.equal(answer.header('content-encoding'), 'br');
  },
  'does not compress an image': sends('br, gzip', undefined, 'logo.png'),
  'says what brotli varies by': varies({ 'Accept-Encoding': 'br' }, 200),
  'says what gzip varies by': varies({ 'Accept-Encoding': 'gzip' }, 200),
  'says what identity varies by': varies({}, 200),
  'says what HEAD varies by': varies({ 'Accept-Encoding': 'br' }, 200, 'HEAD'),
  'says what a part varies by': varies({ Range: 'bytes=0-9' }, 206),
  'says what a 304 varies by': varies({ 'If-None-Match': '*' }, 304),
  'does not say it of an image': async (server) =>
    assert.equal((await server.get('logo.png')).header('vary'), undefined),
  'answers HEAD with the length of the coding': async (server) => {
    const headers = { 'Accept-Encoding': 'gzip' };
    const [get, head] = [await server.get('pre.js', headers), await server.get('pre.js', headers, 'HEAD')];
    assert.equal(head.header('content-encoding'), 'gzip');
    assert.equal(head.header('content-length'), String(get.body.length));
  },
  'sends fewer bytes in a coding': async (server) => {
    const answer = await server.get('app.js', { 'Accept-Encoding': 'br' });
    assert.ok(answer.body.length < PROBE_FILES['app.js'].length / 2);
  },
});
