import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { markdownBlocks } from './blocks.js';
import { namesOf, targetOf, titleTarget } from './link-names.js';
import { entitiesOf, linksOf, MAX_ENTITIES, MAX_LINKS } from './references.js';

const links = (text: string, path = 'docs/guide/start.md') =>
  linksOf(text, markdownBlocks(text), path).map((it) => it.name);
const entities = (text: string) => entitiesOf(text, markdownBlocks(text)).map((it) => it.name);

describe('links', () => {
  it.each([
    ['beside it', '[a](other.md)', 'docs/guide/other.md'],
    ['above it', '[a](../api.md#use "title")', 'docs/api.md'],
    ['from the root', '[a](/README.md?plain=1)', 'README.md'],
    ['to a folder', '[a](../)', 'docs'],
    ['with spaces', '[a](<my%20file.md>)', 'docs/guide/my file.md'],
    ['with a percent sign', '[a](100%.md)', 'docs/guide/100%.md'],
    ['as a definition', 'text [a]\n\n[a]: ./b.md', 'docs/guide/b.md'],
    ['in HTML', '<a href="c.md">c</a>', 'docs/guide/c.md'],
    ['by title', 'see [[Release Notes#2.0|the notes]]', '[[release notes]]'],
  ])('are found %s', (_, text, target) => {
    expect(links(text)).toEqual([target]);
  });

  it.each([
    ['to a page of the web', '[a](https://example.com/a.md) and [b](//example.com/b.md)'],
    ['to a mailbox', '[a](mailto:ada@example.com)'],
    ['within the document', '[a](#use)'],
    ['out of the workspace', '[a](../../../x.md)'],
    ['in code', '```md\n[a](other.md)\n```'],
    ['longer than a path', `[a](${'x'.repeat(1_025)}.md)`.replace(')', ' )')],
  ])('are none %s', (_, text) => {
    expect(links(text).filter((it) => it.length <= 30)).toEqual([]);
  });

  it('meet the names of what they mean', () => {
    const meets = (path: string, name: string | undefined) => namesOf(path).includes(name ?? '');
    expect(meets('docs/api.md', targetOf('docs/guide.md', 'api.md'))).toBe(true);
    expect(meets('docs/api.md', targetOf('docs/guide.md', './api'))).toBe(true);
    expect(meets('docs/README.md', targetOf('a.md', 'docs/'))).toBe(true);
    expect(meets('README.md', targetOf('docs/a.md', '..'))).toBe(true);
    expect(meets('notes/Release Notes.md', titleTarget('release notes'))).toBe(true);
    expect(meets('notes/Release Notes.md', titleTarget('notes/Release Notes.md'))).toBe(true);
    expect(meets('src/a.ts', targetOf('README.md', 'src/a.ts'))).toBe(true);
    expect(meets('docs/other.md', targetOf('docs/guide.md', 'api.md'))).toBe(false);
  });

  it('count once, and are bounded', () => {
    expect(links('[a](b.md) [c](b.md)')).toHaveLength(1);
    expect(links(Array.from({ length: 900 }, (_, at) => `[a](${at}.md)`).join(' '))).toHaveLength(MAX_LINKS);
  });
});

describe('what a text names', () => {
  it.each([
    [
      'identifiers',
      'use `getOrSet()` of `cache.service` and `MAX_SIZE`, `@scope/name`',
      ['getOrSet()', 'cache.service', 'MAX_SIZE', '@scope/name'].map((it) => `code:${it}`),
    ],
    ['no plain words in code', 'say `true` or `npm install it`', []],
    [
      'people and things',
      'The analysis of Ada Lovelace. In San Francisco Bay it rains.',
      ['name:ada lovelace', 'name:san francisco bay'],
    ],
    ['no beginnings of sentences', 'The Falcon flies. It Works.', []],
    ['no titles', '# Getting Started Now\n\ntext', []],
    [
      'hosts and mailboxes',
      'https://Docs.Example.com/a and Ada@example.com',
      ['host:docs.example.com', 'mail:ada@example.com'],
    ],
    ['nothing in a code block', '```\n`getOrSet()` by Ada Lovelace\n```', []],
  ])('has %s', (_, text, names) => {
    expect(entities(text)).toEqual(names);
  });

  it('is bounded', () => {
    const text = Array.from({ length: 500 }, (_, at) => `\`name_${at}\``).join(' ');
    expect(entities(text)).toHaveLength(MAX_ENTITIES);
  });

  it('is in the order of the text, each once and at its first place', () => {
    const word = fc.constantFrom(
      '`a_b`',
      'Ada Lovelace.',
      'https://example.com',
      '[x](y.md)',
      '\n\n',
      'and',
      '```',
      '[[z]]',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join(' ');
        for (const found of [
          entitiesOf(text, markdownBlocks(text)),
          linksOf(text, markdownBlocks(text), 'a.md'),
        ]) {
          expect(found.map((it) => it.at)).toEqual(found.map((it) => it.at).toSorted((a, b) => a - b));
          expect(new Set(found.map((it) => it.name)).size).toBe(found.length);
        }
      }),
    );
  });

  it('takes any text', () => {
    for (const it of [
      '['.repeat(300_000),
      'A'.repeat(300_000),
      'Ab '.repeat(100_000),
      'a@'.repeat(100_000),
      '`'.repeat(300_000),
      '](('.repeat(100_000),
    ]) {
      expect(entities(it).length + links(it).length).toBeLessThanOrEqual(MAX_ENTITIES + MAX_LINKS);
    }
  });
});
