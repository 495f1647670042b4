import { strict as assert } from 'node:assert';
import { SECRET } from '../probe-fixture.js';
import { assertStatus, assertWhole, checksOf, type ProbedServer } from '../probe-check.js';
import { exchange, readAnswers } from '../raw-client.js';

/** Whatever the answer is, the content is not in it, and the server did not break. */
const hides = (path: string) => async (server: ProbedServer) => {
  const answer = await server.ask({ path });
  assert.ok(!answer.text.includes(SECRET), 'the secret was sent');
  assert.ok(answer.status >= 300 && answer.status < 500, `status ${answer.status}`);
};
/** One name for one content: caches and purges know no other. */
const isNoSecondName = (path: string) => async (server: ProbedServer) =>
  assertStatus(await server.ask({ path }), 301, 302, 307, 308, 400, 403, 404);
const staysHere = (path: string) => async (server: ProbedServer) => {
  const location = (await server.ask({ path })).header('location');
  if (location === undefined) return;
  const { host } = new URL(location.replaceAll('\\', '/'), server.base);
  assert.equal(host, server.base.host, `Location: ${location}`);
};

export const PATH_CHECKS = checksOf('paths', {
  'does not leave the folder by ..': hides('/../outside.txt'),
  'does not leave it from below': hides('/sub/../../outside.txt'),
  'does not leave it by %2e%2e': hides('/%2e%2e/outside.txt'),
  'does not leave it by .%2E': hides('/sub/.%2E/.%2E/outside.txt'),
  'does not leave it by an escaped slash': hides('/..%2foutside.txt'),
  'does not leave it by an escaped slash below': hides('/sub%2f..%2f..%2foutside.txt'),
  'does not leave it by a backslash': hides('/..\\outside.txt'),
  'does not leave it by an escaped backslash': hides('/..%5coutside.txt'),
  'does not decode twice': hides('/%252e%252e/outside.txt'),
  'does not decode overlong UTF-8': hides('/%c0%ae%c0%ae/outside.txt'),
  'does not take a sibling for the folder': hides('/../public-sibling/file.txt'),
  'does not follow a URL as the target': hides('http://other/../outside.txt'),
  'does not leave it by many dots': hides('/....//....//outside.txt'),
  '* does not follow a link out of the folder': hides('/leak.txt'),
  '* does not send dotfiles': hides('/.secret'),
  '* does not send what is in a dot folder': hides('/.hidden/file.txt'),
  '* does not send an escaped dotfile': hides('/%2esecret'),
  '* does not send a dotfile behind a path': hides('/sub/../.secret'),
  'does not end a path at NUL': async (server) =>
    assertStatus(await server.ask({ path: '/letters.txt%00.png' }), 400, 404),
  'refuses an escape that is none': async (server) =>
    assertStatus(await server.ask({ path: '/%zz' }), 400, 404),
  'refuses an escape that is cut off': async (server) =>
    assertStatus(await server.ask({ path: '/letters.txt%' }), 400, 404),
  'sends nobody to another host': staysHere('//example.com/%2e%2e'),
  'sends nobody to another host by a folder': staysHere('//sub'),
  'sends nobody to another host by a backslash': staysHere('/\\example.com/sub/..'),
  'sends nobody to a host that the request names': async (server) => {
    const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher' };
    const answer = await server.ask({ path: '/sub', headers });
    assert.doesNotMatch(answer.header('location') ?? '', /evil|gopher/);
  },
  'lets nobody write headers by a redirect': async (server) => {
    const answer = await server.ask({ path: '/sub%0d%0aX-Injected:%20yes' });
    assert.equal(answer.header('x-injected'), undefined);
    assertStatus(answer, 301, 302, 307, 308, 400, 403, 404);
  },
  '* has no second name with two slashes': isNoSecondName('//letters.txt'),
  '* has no second name with a dot': isNoSecondName('/./letters.txt'),
  '* has no second name with dots': isNoSecondName('/sub/../letters.txt'),
  '* has no second name with a needless escape': isNoSecondName('/%6cetters.txt'),
  '* has no name of its own for a compressed form': async (server) => {
    const answer = await server.ask({ path: '/pre.js.br' });
    assertStatus(answer, 301, 302, 307, 308, 403, 404);
  },
  'tells capitals from small letters': async (server) =>
    assertStatus(await server.ask({ path: '/LETTERS.TXT' }), 404),
  'survives a long path': async (server) => {
    const answer = await server.ask({ path: `/${'a'.repeat(5_000)}` });
    assertStatus(answer, 400, 404, 414, 431);
  },
  'survives a header of 64 KB': async (server) => {
    const headers = { 'X-Long': 'a'.repeat(65_536) };
    const answer = await server.ask({ path: '/letters.txt', headers }).catch(() => undefined);
    if (answer) assertStatus(answer, 200, 400, 413, 431);
    assertWhole(await server.get('letters.txt'), 'letters.txt');
  },
  'survives what is no HTTP': async (server) => {
    const [answer] = readAnswers(
      await exchange(server.base, 'NONSENSE\r\n\r\n').catch(() => Buffer.alloc(0)),
    );
    if (answer) assertStatus(answer, 400, 404, 405, 501, 505);
    assertWhole(await server.get('letters.txt'), 'letters.txt');
  },
  'shows no folder': async (server) => {
    const answer = await server.ask({ path: '/sub/..' });
    assert.ok(!answer.text.includes('letters.txt'), 'a listing');
  },
});
