import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { markdownBlocks, plainBlocks } from './blocks.js';
import { OVERLAP_CHARACTERS, partText, PASSAGE_CHARACTERS, passageText } from './passages.js';

const markdown = (text: string) => partText(text, markdownBlocks(text));
const shown = (text: string) => markdown(text).map((it) => passageText(text, it));
const paragraph = (name: string, words = 60) =>
  Array.from({ length: words }, (_, at) => `${name}${at}`).join(' ');

const line = fc.oneof(
  fc.constantFrom(
    '',
    '',
    '```',
    '~~~js',
    '---',
    '===',
    '| a | b |',
    '- item',
    '# One',
    '## Two',
    '### Three ###',
    '> said',
  ),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.nat({ max: 2_500 }).map((length) => 'x'.repeat(length)),
  fc.nat({ max: 400 }).map((words) => 'ein Satz. '.repeat(words)),
  fc.nat({ max: 900 }).map((count) => '😀'.repeat(count)),
);
const text = fc
  .tuple(fc.array(line, { maxLength: 60 }), fc.constantFrom('\n', '\r\n'))
  .map(([lines, end]) => lines.join(end));

describe.each([
  ['Markdown', markdownBlocks],
  ['plain text', plainBlocks],
])('passages of %s', (_, blocksOf) => {
  it('have all of the text, in its order, and repeat no more than they may', () => {
    fc.assert(
      fc.property(text, (it) => {
        const passages = partText(it, blocksOf(it));
        let reached = 0;
        let before = -1;
        for (const { start, end } of passages) {
          expect(start).toBeLessThanOrEqual(reached);
          expect(start).toBeGreaterThanOrEqual(reached - OVERLAP_CHARACTERS - 1);
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(reached);
          expect(end - start).toBeLessThanOrEqual(PASSAGE_CHARACTERS + OVERLAP_CHARACTERS + 1);
          [before, reached] = [start, end];
        }
        expect(reached).toBe(it.length);
      }),
    );
  });

  it('never halve a character', () => {
    fc.assert(
      fc.property(text, (it) => {
        for (const passage of partText(it, blocksOf(it))) {
          expect(passageText(it, passage).isWellFormed()).toBe(it.isWellFormed());
        }
      }),
    );
  });
});

describe('passages of Markdown', () => {
  it('stand under the headings that they do not have themselves', () => {
    const source = `# Guide\n\n## Install\n\n${paragraph('a', 100)}\n\n### Linux\n\n${paragraph('b', 400)}\n\n## Use\n\n${paragraph('c')}`;
    expect(markdown(source).map((it) => it.headings)).toEqual([
      [],
      ['Guide', 'Install'],
      ['Guide', 'Install', 'Linux'],
      ['Guide'],
    ]);
    expect(shown(source)[1]).toMatch(/^Guide > Install\n\n### Linux\n\nb0 b1/);
  });

  it('repeat the end of the one before within a section, from the beginning of a word on', () => {
    const [first, second] = markdown(paragraph('word', 300));
    expect(first?.end).toBeGreaterThan(second?.start ?? 0);
    expect(paragraph('word', 300).slice(second?.start)).toMatch(/^word\d/);
  });

  it('repeat nothing across a heading', () => {
    const [first, second] = markdown(`# A\n\n${paragraph('a', 100)}\n\n# B\n\n${paragraph('b', 100)}`);
    expect(second?.start).toBe(first?.end);
  });

  it('keep a heading with what it is about', () => {
    const source = `${paragraph('a', 100)}\n\n## Title\n\n${'b'.repeat(PASSAGE_CHARACTERS - 5)}`;
    expect(shown(source).filter((it) => it.startsWith('## Title\n\nbb'))).toHaveLength(1);
    expect(shown(source)).toHaveLength(2);
  });

  it('join small sections', () => {
    expect(shown('# License\n\nMIT\n\n# Author\n\nAda')).toEqual(['# License\n\nMIT\n\n# Author\n\nAda']);
  });

  it('keep a code block and a table whole that fit into one', () => {
    const code = `\`\`\`ts\n${'const one = 1;\n\n# no heading\n\n'.repeat(30)}\`\`\``;
    const table = Array.from({ length: 40 }, (_, at) => `| row ${at} | of a table |`).join('\n');
    for (const block of [code, table]) {
      const passages = shown(`${paragraph('before', 100)}\n\n${block}\n\n${paragraph('after', 100)}`);
      expect(passages.filter((it) => it.includes(block))).toHaveLength(1);
    }
  });

  it('part a larger table between its rows', () => {
    const table = Array.from({ length: 200 }, (_, at) => `| row ${at} | of a table |`).join('\n');
    expect(shown(table).length).toBeGreaterThan(3);
    for (const it of shown(table)) expect(it).toMatch(/^\| row \d+ .*\|$/s);
  });

  it.each([
    ['nothing', '', []],
    ['an underlined heading', 'Title\n=====\n\ntext', ['Title']],
    ['front matter, which has no heading', '---\ntitle: x\n---\n\ntext', []],
    ['a list above a line, which has none either', '- item\n---\n\ntext', []],
    ['a heading in code, an open one too', '~~~\n# no\n', []],
    ['hashes without a space', '#no', []],
    ['a heading without a text', '#\n\ntext', ['']],
    ['Windows line ends', '# A\r\n\r\ntext\r\n', ['A']],
  ])('know %s', (_, source, titles) => {
    const headings = markdownBlocks(source).filter((it) => it.kind === 'heading');
    expect(headings.map((it) => it.title)).toEqual(titles);
  });

  it('are the same whatever the line ends', () => {
    const source = `# A\n\n${paragraph('a')}\n\n${paragraph('b')}`;
    expect(shown(source.replaceAll('\n', '\r\n'))).toEqual(shown(source));
  });

  it('change few of them with an edit', () => {
    const sections = Array.from({ length: 40 }, (_, at) => `## Part ${at}\n\n${paragraph(`p${at}-`, 250)}\n`);
    const before = new Set(shown(sections.join('\n')));
    sections[17] = sections[17]?.replace('p17-100', 'another word than this') ?? '';
    const after = shown(sections.join('\n'));
    expect(before.size).toBeGreaterThan(60);
    expect(after.filter((it) => !before.has(it)).length).toBeLessThanOrEqual(2);
  });

  it('take time in proportion to the text', () => {
    for (const it of [
      'x'.repeat(2_000_000),
      '`'.repeat(300_000),
      '#'.repeat(300_000),
      `${'a\n'.repeat(300_000)}`,
    ]) {
      expect(markdown(it).at(-1)?.end).toBe(it.length);
    }
  });
});
