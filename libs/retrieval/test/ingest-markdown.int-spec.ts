import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import MarkdownIt from 'markdown-it';
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IngestFixture } from './ingest-fixture.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FILES = ['README.md', 'docs/**/*.md', 'libs/*/README.md', 'apps/*/README.md'];

/** The documents of this repository, as somebody imports them. */
describe('the Markdown of a project', () => {
  const paths = globSync(FILES, { cwd: ROOT }).sort();
  const texts = new Map(paths.map((it) => [it, readFileSync(posix.join(ROOT, it), 'utf8')]));
  let fixture: IngestFixture;
  let workspace: string;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    fixture = await IngestFixture.start();
    workspace = await fixture.retrieval.workspace();
    for (const [path, text] of texts) ids.set(path, await fixture.write(workspace, path, text));
    await fixture.ingest(...ids.values());
    await fixture.retrieval.query('ANALYZE');
  }, 300_000);
  afterAll(() => fixture?.retrieval.stop());

  it('is linked as a parser of Markdown says', async () => {
    const expected = new Set([...texts].flatMap(([path, text]) => linkedPairs(path, text, paths)));
    const edges = await fixture.edges(workspace, 'link');
    const found = new Set(edges.map((it) => pairOf(posix.dirname(it.from), posix.dirname(it.to))));
    expect([...found].sort()).toEqual([...expected].sort());
    expect(expected.size).toBeGreaterThan(40);
  });

  it('has few edges of what it names, for any passage', async () => {
    const [most] = await fixture.retrieval.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM retrieval_edges WHERE type = 'entity' GROUP BY source_id ORDER BY 1 DESC LIMIT 1`,
    );
    const [all] = await fixture.retrieval.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM retrieval_edges WHERE type = 'entity'`,
    );
    expect(all?.n).toBeGreaterThan(100);
    expect(most?.n).toBeLessThan(200);
  });

  it.each([
    [
      'how likely is it that a passage is missed at a z of 3, by the Hamming distance of its code?',
      'libs/retrieval/README.md',
    ],
    ['when does the worker relay tasks from the outbox?', 'libs/task-queue/README.md'],
    ['which headers does nginx get for immutable assets?', 'libs/cdn/README.md'],
  ])('answers: %s', async (text, path) => {
    const { hits, explanation } = await fixture.retrieval.service.query(workspace, { text, limit: 5 });
    expect(hits.map((it) => it.documentId)).toContain(ids.get(path));
    expect(explanation.status).not.toBe('uncertified');
  });

  it('embeds nothing when it is imported once more, and one passage for one changed line', async () => {
    fixture.embedder.take();
    for (const [path, text] of texts) await fixture.write(workspace, path, text);
    await fixture.ingest(...ids.values());
    expect(fixture.embedder.take()).toBe(0);
    const readme = texts.get('libs/cache/README.md') ?? '';
    await fixture.add(workspace, 'libs/cache/README.md', readme.replace(/^(- \*\*.+)$/m, '$1 More is said.'));
    const embedded = fixture.embedder.take();
    expect(embedded).toBeGreaterThan(0);
    expect(embedded).toBeLessThanOrEqual(4);
  }, 120_000);
});

/** What its links lead to, of the files that there are, by a parser that is not ours. */
function linkedPairs(path: string, text: string, paths: readonly string[]): string[] {
  const hrefs = new MarkdownIt({ html: true })
    .parse(text, {})
    .flatMap((it) => it.children ?? [])
    .flatMap((it) => it.attrGet('href') ?? []);
  return hrefs.flatMap((href) => {
    const [target = ''] = String(href).split(/[?#]/, 1);
    if (target === '' || /^[a-z]+:/i.test(target)) return [];
    const to = posix.join(posix.dirname(path), decodeURIComponent(target)).replace(/\/$/, '');
    const document = [to, `${to}.md`, `${to}/README.md`, `${to}/index.md`].find((it) => paths.includes(it));
    return document === undefined || document === path ? [] : [pairOf(path, document)];
  });
}

/** An edge has no direction. */
function pairOf(a: string, b: string): string {
  return [a, b].sort().join(' ');
}
