import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { startBrowser } from './support/browser.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

/** Ways in which a text has been known to run in a browser; each would call `alert`. */
const XSS_CORPUS = JSON.parse(
  readFileSync(new URL('../../../libs/content/test/xss-corpus.json', import.meta.url), 'utf8'),
) as string[];

describe.each([
  ['with Redis', true],
  ['on PostgreSQL alone', false],
])('conversions %s', (_, redis) => {
  let platform: Platform;
  let workspace: string;

  beforeAll(async () => {
    platform = await Platform.start({ redis, env: { CONTENT_CONVERT_TASK_BYTES: '50000' } });
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(() => platform?.stop());

  const upload = async (path: string, text: string | Uint8Array, type?: string) =>
    (await platform.upload(workspace, path, text, type)).file.id;
  const convert = (id: string, target: string, headers: Record<string, string> = {}, method = 'GET') =>
    platform.request(method, `/workspaces/${workspace}/files/${id}/conversions/${target}`, { headers });

  it('are HTML, text and JSON, as what they say they are', async () => {
    const id = await upload('notes.md', '---\ntitle: Notes\n---\n# Head\n\nSome *words*\n', 'text/markdown');
    const html = await convert(id, 'html');
    expect(html).toMatchObject({
      status: 200,
      body: expect.stringContaining('<h1 id="user-content-head">Head</h1>'),
    });
    expect(Object.fromEntries(html.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
    });
    expect((await convert(id, 'text')).body).toBe('Head\nSome words\n');
    expect((await convert(id, 'json')).body).toMatchObject({ frontMatter: { title: 'Notes' } });
    const csv = await upload('a.csv', 'a;b\n1;=1+1\n', 'text/csv');
    expect((await convert(csv, 'json')).body.rows).toEqual([{ a: '1', b: '=1+1' }]);
    expect((await convert(csv, 'json?delimiter=comma&header=false')).body.rows).toHaveLength(2);
  });

  it('answer conditional requests and HEAD, and are new with a new content', async () => {
    const id = await upload('change.md', '# One');
    const { headers, body } = await convert(id, 'html');
    const etag = headers.get('etag') ?? '';
    expect((await convert(id, 'html', { 'if-none-match': etag })).status).toBe(304);
    expect((await convert(id, 'text')).headers.get('etag')).not.toBe(etag);
    const head = await convert(id, 'html', {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(body as string)));
    await upload('change.md', '# Two');
    expect((await convert(id, 'html', { 'if-none-match': etag })).body).toContain('Two</h1>');
  });

  it('that cannot be made say why', async () => {
    const refused = async (path: string, text: string | Uint8Array, target: string, type?: string) => {
      const { status, body } = await convert(await upload(path, text, type), target);
      return { status, code: body.code as unknown };
    };
    expect(await refused('a.png', 'x', 'html', 'image/png')).toEqual({
      status: 415,
      code: 'CONTENT_CONVERSION_UNSUPPORTED',
    });
    const bomb = `---\na: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((it, n) => `${it}: &${it} [${Array(9).fill(`*${'abcdefgh'[n]}`).join()}]`)
      .join('\n')}\n---\n`;
    for (const text of [bomb, Buffer.from([0, 1, 2, 3])])
      expect(await refused('b.md', text, 'json')).toEqual({
        status: 422,
        code: 'CONTENT_CONVERSION_REFUSED',
      });
    expect((await convert(await upload('c.md', 'x'), 'pdf')).status).toBe(400);
    const latin = await convert(await upload('d.md', Buffer.from('caf\xe9', 'latin1')), 'text');
    expect(latin.headers.get('x-conversion-notes')).toContain('not valid UTF-8');
  });

  it('of a large file are a task, and then there; of one that cannot be converted, the reason', async () => {
    const id = await upload('large.md', `# Large\n\n${'some words '.repeat(8_000)}`);
    const accepted = await convert(id, 'html');
    expect(accepted).toMatchObject({ status: 202, body: { task: 'content.convert-file' } });
    const task = async () =>
      (await platform.request('GET', (accepted.headers.get('location') ?? '').replace('/api/v1', ''))).body
        .state as string;
    await until(async () => (await task()) === 'completed');
    await until(async () => (await convert(id, 'html')).status === 200);
    const binary = await upload('large-binary.md', Buffer.alloc(60_000));
    await until(async () => (await convert(binary, 'html')).status === 422);
  });
});

/** In the page: what waits for a click, or for any other event, would run now. */
const TOUCH_ALL = `for (const it of document.querySelectorAll('*'))
  for (const type of ['click', 'mouseover', 'focus', 'toggle', 'pointerrawupdate', 'error', 'load'])
    it.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }))`;

describe('what was Markdown, in a real browser', () => {
  let platform: Platform;
  let browser: Browser;
  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
  });

  it('runs nothing and asks for nothing, even in a page without a policy', async () => {
    const workspace = await platform.createWorkspace();
    const asked: string[] = [];
    const ran: string[] = [];
    const page = await browser.newPage();
    page.on('dialog', (dialog) => {
      ran.push(dialog.message());
      void dialog.dismiss();
    });
    await page.exposeFunction('alert', (it: unknown) => void ran.push(String(it)));
    await page.route('**/*', (route) => {
      asked.push(route.request().url());
      return route.abort();
    });
    // It can be seen: what is not made safe runs.
    await page.setContent(XSS_CORPUS.join('\n'));
    await until(() => Promise.resolve(ran.length > 3));
    for (const [index, attack] of XSS_CORPUS.entries()) {
      const { file } = await platform.upload(workspace, `${index}.md`, attack, 'text/markdown');
      const path = `/workspaces/${workspace}/files/${file.id}/conversions/html`;
      const { status, body } = await platform.request('GET', path);
      expect(status).toBe(200);
      await page.setContent('<p>before</p>');
      ran.length = asked.length = 0;
      await page.setContent(`<body>${body}<p id="end">end</p></body>`);
      await page.evaluate(TOUCH_ALL);
      expect({ attack, ran: [...ran] }).toEqual({ attack, ran: [] });
      // An image may be asked for; nothing else.
      expect(asked.filter((it) => !/\/x%?|\/x$/.test(it))).toEqual([]);
    }
    await page.close();
  }, 180_000);
});
