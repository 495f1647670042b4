import { strict as assert } from 'node:assert';
import { MODIFIED_AT, PROBE_FILES } from '../probe-fixture.js';
import { assertStatus, assertWhole, checksOf, type ProbedServer } from '../probe-check.js';
import type { RawAnswer } from '../raw-client.js';

const LETTERS = PROBE_FILES['letters.txt'].toString();
const at = MODIFIED_AT.toUTCString();

const part = (range: string, expected: string, contentRange: string) => async (server: ProbedServer) => {
  const answer = await server.get('letters.txt', { Range: range });
  assertStatus(answer, 206);
  assert.equal(answer.text, expected);
  assert.equal(answer.header('content-range'), contentRange);
  assert.equal(answer.header('content-length'), String(expected.length));
};
const whole = (headers: Record<string, string>) => async (server: ProbedServer) =>
  assertWhole(await server.get('letters.txt', headers), 'letters.txt');
const outside = (range: string) => async (server: ProbedServer) => {
  const answer = await server.get('letters.txt', { Range: range });
  assertStatus(answer, 416);
  assert.equal(answer.header('content-range'), 'bytes */26');
};
/** What is no range may be passed over or refused, and is never answered with a part. */
const noPart = (range: string) => async (server: ProbedServer) => {
  const answer = await server.get('letters.txt', { Range: range });
  assertStatus(answer, 200, 416);
  if (answer.status === 200) assertWhole(answer, 'letters.txt');
};
/** Survives it, and sends the whole, parts of it, or that there is no such part. */
const survives = (range: string) => async (server: ProbedServer) => {
  assertStatus(await server.get('letters.txt', { Range: range }).catch(dropped), 200, 206, 400, 416, 431);
  assertWhole(await server.get('letters.txt'), 'letters.txt');
};
const dropped = (): RawAnswer => {
  throw new Error('the server broke the connection');
};

/** The contents of the parts, by what their Content-Range says. */
function partsOf(answer: RawAnswer): Map<string, string> {
  const [, boundary] =
    /^multipart\/byteranges; ?boundary="?([^"]+)"?$/i.exec(answer.header('content-type') ?? '') ?? [];
  assert.ok(boundary, 'no boundary');
  assert.equal(answer.header('content-length') ?? String(answer.body.length), String(answer.body.length));
  const sections = answer.text.split(`--${boundary}`);
  assert.equal(sections.at(-1)?.trim(), '--', 'no closing boundary');
  return new Map(
    sections.slice(1, -1).map((section) => {
      const [head = '', ...rest] = section.split('\r\n\r\n');
      assert.match(head, /content-type: /i);
      return [/content-range: (.*)/i.exec(head)?.[1]?.trim() ?? '', rest.join('\r\n\r\n').slice(0, -2)];
    }),
  );
}

export const RANGE_CHECKS = checksOf('ranges', {
  'says that it knows ranges': async (server) =>
    assert.equal((await server.get('letters.txt')).header('accept-ranges'), 'bytes'),
  'the first bytes': part('bytes=0-4', 'abcde', 'bytes 0-4/26'),
  'one byte': part('bytes=0-0', 'a', 'bytes 0-0/26'),
  'from the middle to the end': part('bytes=20-', 'uvwxyz', 'bytes 20-25/26'),
  'the last bytes': part('bytes=-3', 'xyz', 'bytes 23-25/26'),
  'more last bytes than there are': part('bytes=-99999999', LETTERS, 'bytes 0-25/26'),
  'an end behind the last byte': part('bytes=24-99', 'yz', 'bytes 24-25/26'),
  'an end beyond all numbers': part('bytes=24-18446744073709551615', 'yz', 'bytes 24-25/26'),
  'the unit in capitals': part('Bytes=0-1', 'ab', 'bytes 0-1/26'),
  'a start behind the last byte: 416': outside('bytes=26-'),
  'a start far behind the last byte: 416': outside('bytes=100-200'),
  'no last bytes: 416': outside('bytes=-0'),
  'only ranges behind the last byte: 416': outside('bytes=30-40,50-60'),
  'lets nobody keep a 416': async (server) => {
    const answer = await server.get('app.3f2a1b9c.js', { Range: 'bytes=99999999-' });
    assert.doesNotMatch(answer.header('cache-control') ?? '', /immutable|max-age=\d{4}/);
  },
  'an end before the start: no part': noPart('bytes=5-2'),
  'no numbers: no part': noPart('bytes=a-b'),
  'nothing behind the unit: no part': noPart('bytes='),
  'a lone dash: no part': noPart('bytes=-'),
  'another unit: everything': whole({ Range: 'items=0-4' }),
  'nonsense: everything': whole({ Range: 'asdf' }),
  'two ranges in two parts': async (server) => {
    const answer = await server.get('letters.txt', { Range: 'bytes=0-1,24-25' });
    assertStatus(answer, 206);
    const expected = { 'bytes 0-1/26': 'ab', 'bytes 24-25/26': 'yz' };
    assert.deepEqual(Object.fromEntries(partsOf(answer)), expected);
  },
  'one range of two that is there': async (server) => {
    const answer = await server.get('letters.txt', { Range: 'bytes=0-1,50-60' });
    assertStatus(answer, 206);
    assert.ok(answer.text === 'ab' || partsOf(answer).get('bytes 0-1/26') === 'ab');
  },
  'never sends more bytes for many ranges than there are': async (server) => {
    const headers = { Range: `bytes=${Array.from({ length: 200 }, () => '0-').join(',')}` };
    const answer = await server.get('app.js', headers);
    assertStatus(answer, 200, 206, 416);
    assert.ok(answer.body.length <= PROBE_FILES['app.js'].length + 200, `${answer.body.length} bytes`);
  },
  'survives 200 ranges': survives(`bytes=${Array.from({ length: 200 }, (_, i) => `${i}-${i}`).join(',')}`),
  'survives an overflow': survives('bytes=0-18446744073709551615,9223372036854775807-'),
  'survives signs and fractions': survives('bytes=--1,+1-2,1.5-2,0x1-2'),
  'If-Range with the tag: the part': async (server) => {
    const headers = { Range: 'bytes=0-4', 'If-Range': await server.etagOf('letters.txt') };
    assertStatus(await server.get('letters.txt', headers), 206);
  },
  'If-Range with another tag: everything': whole({ Range: 'bytes=0-4', 'If-Range': '"other"' }),
  'If-Range with the weak form: everything': async (server) => {
    const headers = { Range: 'bytes=0-4', 'If-Range': `W/${await server.etagOf('letters.txt')}` };
    assertWhole(await server.get('letters.txt', headers), 'letters.txt');
  },
  'If-Range with the date: the part': async (server) =>
    assertStatus(await server.get('letters.txt', { Range: 'bytes=0-4', 'If-Range': at }), 206),
  'If-Range with another date: everything': whole({
    Range: 'bytes=0-4',
    'If-Range': 'Thu, 01 Jan 2026 00:00:00 GMT',
  }),
  'conditions count before ranges': async (server) => {
    const headers = { Range: 'bytes=0-4', 'If-None-Match': await server.etagOf('letters.txt') };
    assertStatus(await server.get('letters.txt', headers), 304);
  },
  'HEAD ignores Range': async (server) =>
    assertStatus(await server.get('letters.txt', { Range: 'bytes=0-4' }, 'HEAD'), 200),
  'a part has tag, type and Cache-Control of the whole': async (server) => {
    const full = await server.get('letters.txt');
    const answer = await server.get('letters.txt', { Range: 'bytes=0-4' });
    for (const it of ['etag', 'content-type', 'cache-control'])
      assert.equal(answer.header(it), full.header(it), it);
  },
  'a part of a coding is cut from that coding': async (server) => {
    const accept = { 'Accept-Encoding': 'br' };
    const [full, answer] = [
      await server.get('pre.js', accept),
      await server.get('pre.js', { ...accept, Range: 'bytes=10-19' }),
    ];
    assertStatus(answer, 206);
    const whole = answer.header('content-encoding') === undefined ? PROBE_FILES['pre.js'] : full.body;
    assert.ok(answer.body.equals(whole.subarray(10, 20)), 'other bytes');
    if (whole === full.body) assert.equal(answer.header('etag'), full.header('etag'));
  },
  'a part of a large file': async (server) => {
    const answer = await server.get('large.bin', { Range: 'bytes=3000000-5999999' });
    assertStatus(answer, 206);
    assert.ok(answer.body.equals(PROBE_FILES['large.bin'].subarray(3_000_000, 6_000_000)));
  },
  'no part of an empty file': async (server) =>
    assertStatus(await server.get('empty.txt', { Range: 'bytes=0-' }), 200, 416),
});
