import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cache, type NamespaceStatistics } from '@peregrine/cache';
import { InvalidCursorError } from '@peregrine/database';
import fc from 'fast-check';
import { SearchService } from '../src/index.js';
import { ContentFixture } from './content-fixture.js';

const TIES = 23;

const FILES: Record<string, string> = {
  'falcon.txt': 'a bird of prey',
  'falcon-notes/readme.txt': 'nothing else',
  'birds.txt': 'the falcon dives; nobody is faster than the falcon',
  'phrase.txt': 'a quick brown fox jumps',
  'scattered.txt': 'brown is the quick one, and the fox sleeps',
  'Größenübersicht.txt': 'Ärmelkanal, façade, 漢字',
  'report_2024-final.txt': 'figures',
  'script.html': '<script>alert("gyrfalcon")</script> <img src=x onerror=\'alert(1)\'> gyrfalcon & more',
};

let content: ContentFixture;
let workspace: string;
beforeAll(async () => {
  content = await ContentFixture.start();
  workspace = await content.workspace();
  const ties = Array.from({ length: TIES }, (_, n) => [`tie-${n}.txt`, 'equally kestrel']);
  for (const [path, text] of [...Object.entries(FILES), ...ties]) {
    await content.upload(workspace, path ?? '', text ?? '');
  }
  await content.extracted(workspace);
}, 60_000);
afterAll(() => content?.stop());

const search = (query: string, limit = 50, cursor?: string) =>
  content.get(SearchService).search(workspace, { query, limit, cursor });
const paths = async (query: string) => (await search(query)).items.map((it) => it.path);

describe('search', () => {
  it('ranks the name before the path before the text, and tells more hits from fewer', async () => {
    expect(await paths('falcon')).toEqual(['falcon.txt', 'falcon-notes/readme.txt', 'birds.txt']);
  });

  it('finds other forms of a word, phrases, alternatives, and leaves out what is negated', async () => {
    expect(await paths('jumping')).toEqual(['phrase.txt']);
    expect(await paths('"quick brown"')).toEqual(['phrase.txt']);
    expect((await paths('quick brown')).sort()).toEqual(['phrase.txt', 'scattered.txt']);
    expect((await paths('prey or jumps')).sort()).toEqual(['falcon.txt', 'phrase.txt']);
    expect(await paths('quick -sleeps')).toEqual(['phrase.txt']);
    expect(await paths('FALCON PREY')).toEqual(['falcon.txt']);
  });

  it('finds parts of names, and words of other scripts', async () => {
    expect(await paths('2024')).toEqual(['report_2024-final.txt']);
    expect(await paths('final')).toEqual(['report_2024-final.txt']);
    expect(await paths('größenübersicht')).toEqual(['Größenübersicht.txt']);
    expect(await paths('漢字')).toEqual(['Größenübersicht.txt']);
    expect(await paths('façade')).toEqual(['Größenübersicht.txt']);
  });

  it.each(['the', 'the of and', '', '   ', '""', '-', '!!!', '\0', 'unheardof'])(
    'finds nothing for %j',
    async (query) => {
      expect(await search(query)).toEqual({ items: [], nextCursor: null, previousCursor: null });
    },
  );

  it('pages through equal ranks both ways, each file once', async () => {
    const whole = await paths('kestrel');
    expect(whole).toHaveLength(TIES);
    const forward: string[] = [];
    let page = await search('kestrel', 7);
    forward.push(...page.items.map((it) => it.path));
    while (page.nextCursor) {
      page = await search('kestrel', 7, page.nextCursor);
      forward.push(...page.items.map((it) => it.path));
    }
    expect(forward).toEqual(whole);
    const backward = page.items.map((it) => it.path);
    while (page.previousCursor) {
      page = await search('kestrel', 7, page.previousCursor);
      backward.unshift(...page.items.map((it) => it.path));
    }
    expect(backward).toEqual(whole);
  });

  it('takes a cursor only with the query that it came from', async () => {
    const { nextCursor } = await search('kestrel', 7);
    await expect(search('equally', 7, nextCursor ?? '')).rejects.toThrow(InvalidCursorError);
    await expect(search('kestrel', 7, 'tampered')).rejects.toThrow(InvalidCursorError);
    expect((await search('  kestrel\n', 7, nextCursor ?? '')).items).toHaveLength(7);
  });

  it('shows hits as HTML that is safe, whatever the text holds', async () => {
    const [hit] = (await search('gyrfalcon')).items;
    expect(hit?.snippet).toContain('<mark>gyrfalcon</mark>');
    expect(hit?.snippet.replaceAll(/<\/?mark>/g, '')).not.toMatch(/[<>"']/);
  });

  it('answers the same question from the cache, however it is spaced', async () => {
    const before = figures();
    const first = await search('quick   fox');
    expect(await search(' quick fox\t')).toEqual(first);
    expect(figures().loads.count - before.loads.count).toBe(1);
    expect(figures().memory.hits - before.memory.hits).toBe(1);
  });

  it('makes a snippet again only when its file has changed', async () => {
    const own = await content.workspace();
    const find = async () => {
      const { items } = await content.get(SearchService).search(own, { query: 'osprey', limit: 10 });
      return new Map(items.map((it) => [it.path, it.snippet]));
    };
    const put = async (path: string, text: string) => {
      await content.upload(own, path, text);
      await content.extracted(own);
    };
    await put('one.txt', 'an osprey fishes');
    await put('two.txt', 'osprey rests');
    await find();
    const before = figures('content').redis.hits;
    await put('three.txt', 'third osprey');
    expect((await find()).get('three.txt')).toBe('third <mark>osprey</mark>');
    expect(figures('content').redis.hits - before).toBe(2);
    await put('one.txt', 'osprey dives');
    expect([...(await find()).entries()].sort()).toEqual([
      ['one.txt', '<mark>osprey</mark> dives'],
      ['three.txt', 'third <mark>osprey</mark>'],
      ['two.txt', '<mark>osprey</mark> rests'],
    ]);
    expect(figures('content').redis.hits - before).toBe(4);
  });

  it('shows a workspace only its own files', async () => {
    const other = await content.workspace();
    const { items } = await content.get(SearchService).search(other, { query: 'falcon', limit: 10 });
    expect(items).toEqual([]);
  });

  it('answers any string, in HTML that is escaped', async () => {
    const syntax = fc.constantFrom(
      '"',
      '-',
      ' or ',
      ' ',
      'falcon',
      'kestrel',
      'quick',
      '\0',
      ':*',
      '&',
      '|',
      '!',
      '(',
      ')',
      '<->',
      '\\',
      "'",
      '%',
      '\ud800',
      '<b>',
      '\u0002',
    );
    const query = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(syntax, { maxLength: 60 }).map((parts) => parts.join('')),
      fc.string({ unit: fc.constantFrom('漢', 'ü', 'a'), minLength: 900, maxLength: 1_000 }),
    );
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        for (const { snippet } of (await search(text, 5)).items) {
          expect(snippet.replaceAll(/<\/?mark>|&(?:amp|lt|gt|quot|#39);/g, '')).not.toMatch(/[<>"'&]/);
        }
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});

function figures(namespace = 'search'): NamespaceStatistics {
  const found = content.get(Cache).stats().namespaces[namespace];
  if (!found) throw new Error(`no figures for the namespace ${namespace}`);
  return found;
}
