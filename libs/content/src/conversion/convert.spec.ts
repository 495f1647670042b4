import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { readFileSync } from 'node:fs';
import {
  type ConversionOptions,
  type ConversionTarget,
  type SourceFormat,
  sourceFormatOf,
} from './conversion-format.js';
import { convert } from './convert.js';

/** Ways in which a text has been known to run in a browser; each would call `alert`. */
const XSS_CORPUS = JSON.parse(
  readFileSync(new URL('../../test/xss-corpus.json', import.meta.url), 'utf8'),
) as string[];

async function converted(
  format: SourceFormat,
  target: ConversionTarget,
  content: string | Uint8Array,
  options: ConversionOptions = {},
) {
  const { body, notes, mediaType } = await convert({ bytes: Buffer.from(content), format, target, options });
  return { body, notes, mediaType, json: () => JSON.parse(body) as Record<string, unknown> };
}

const html = async (markdown: string) => (await converted('markdown', 'html', markdown)).body;
const frontMatter = async (yaml: string) =>
  (await converted('markdown', 'json', `---\n${yaml}\n---\ntext`)).json()['frontMatter'];
const csv = async (text: string | Uint8Array, options?: ConversionOptions) =>
  (await converted('csv', 'json', text, options)).json();

describe('Markdown', () => {
  it('becomes HTML with anchors for its headings, and links that lead to them', async () => {
    const body = await html(
      '# One & two\n\n## One & two\n\n## 日本\n\n## ***\n\n[to it](#one-two) <https://a.b/?x=1&y=2>',
    );
    expect(body).toContain('<h1 id="user-content-one-two">One &amp; two</h1>');
    expect(body).toContain('<h2 id="user-content-one-two-1">');
    expect(body).toContain('<h2 id="user-content-日本">');
    expect(body).toContain('href="#user-content-one-two"');
    expect(body).toContain('rel="nofollow noopener noreferrer"');
  });

  it('keeps tables, code with its language, and images', async () => {
    const body = await html(
      '| a | b |\n|---|--:|\n| 1 | 2 |\n\n```ts\nconst a = "<b>";\n```\n\n![alt](pic.png "t")',
    );
    expect(body).toContain('<th>a</th>');
    expect(body).toContain('<code class="language-ts">const a = "&lt;b&gt;";');
    expect(body).toContain('<img src="pic.png" alt="alt" title="t" />');
  });

  it('becomes text without marks', async () => {
    const { body } = await converted(
      'markdown',
      'text',
      '---\na: 1\n---\n# Head\n\nSome *words* &amp; [a link](x).\n\n- one\n- two\n\n```\n  code\n```\n',
    );
    expect(body).toBe('Head\nSome words & a link.\n- one\n- two\n  code\n');
  });

  it('gives its front matter and its headings as JSON', async () => {
    const result = await converted('markdown', 'json', '---\ntitle: A\ntags: [x, y]\n---\n# H\n');
    expect(result.json()).toEqual({
      frontMatter: { title: 'A', tags: ['x', 'y'] },
      headings: [{ level: 1, text: 'H', id: 'user-content-h' }],
    });
    expect((await converted('markdown', 'json', 'no front matter')).json()['frontMatter']).toBeNull();
  });
});

describe('front matter', () => {
  it.each<[string, string, unknown]>([
    ['a date as text', 'on: 2024-01-02', { on: '2024-01-02' }],
    [
      'numbers that JSON has not as null',
      'a: .nan\nb: .inf\nc: 0x10\nd: 1e3',
      { a: null, b: null, c: 16, d: 1000 },
    ],
    ['an unknown tag as what it stands before', 'a: !!js/function "x"\nb: !custom y', { a: 'x', b: 'y' }],
    ['binary as text', 'a: !!binary aGk=', { a: 'aGk=' }],
    ['keys that are no text', '1: a\ntrue: b\nnull: c', { 1: 'a', true: 'b', '': 'c' }],
    ['an alias', 'a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['nothing', '', {}],
  ])('reads %s', async (_, yaml, value) => expect(await frontMatter(yaml)).toEqual(value));

  it('takes a name that would be a prototype for a name', async () => {
    const { body } = await converted('markdown', 'json', '---\n__proto__: { polluted: 1 }\n---\n');
    expect(body).toContain('"__proto__":{"polluted":1}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name, index) => {
      const before = '*' + 'abcdefgh'.charAt(index);
      return `${name}: &${name} [${Array(9).fill(before).join(', ')}]`;
    }),
  ].join('\n');
  it.each<[string, string, RegExp]>([
    ['whose aliases multiply', bomb, /alias/i],
    ['nested too deep', `a: ${'['.repeat(40)}${']'.repeat(40)}`, /deeper than 32/],
    ['nested a hundred thousand deep', `a: ${'['.repeat(60_000)}`, /front matter cannot be read/],
    ['too long', `a: ${'x'.repeat(70_000)}`, /longer than 65,536/],
    ['with too many values', `a: [${'1,'.repeat(20_000)}]`, /more than 10,000 values/],
    ['that is a list', '- a', /no mapping/],
    ['that is malformed', 'a: [1', /front matter cannot be read/],
    ['with a key twice', 'a: 1\na: 2', /unique/i],
    ['with an alias of itself', 'a: &a [*a]', /front matter cannot be read/],
  ])('%s is refused as JSON, and only noted elsewhere', async (_, yaml, message) => {
    await expect(frontMatter(yaml)).rejects.toThrow(message);
    const { body, notes } = await converted('markdown', 'html', `---\n${yaml}\n---\ntext`);
    expect(body).toBe('<p>text</p>\n');
    expect(notes).toEqual([expect.stringMatching(message)]);
  });
});

describe('what is safe', () => {
  const TAGS = /^(?:script|style|iframe|object|embed|form|input|button|svg|math|link|meta|base|template)$/;
  const ATTRIBUTES = /^(?:on.*|style|srcset|formaction|srcdoc|name|xlink:href)$/;

  /** What of a page could run or load something, as a parser sees it. */
  function dangersOf(body: string): string[] {
    const dangers: string[] = [];
    const parser = new Parser({
      onopentag: (name, attributes) => {
        if (TAGS.test(name)) dangers.push(name);
        for (const [attribute, value] of Object.entries(attributes)) {
          const isLink = attribute === 'href' || attribute === 'src';
          const scheme = /^[\s\p{Cc}]*([a-z][a-z0-9+.-]*):/iu.exec(value)?.[1]?.toLowerCase() ?? 'https';
          if (ATTRIBUTES.test(attribute)) dangers.push(`${name} ${attribute}`);
          if (attribute === 'id' && !value.startsWith('user-content-')) dangers.push(`${name} id`);
          if (isLink && !['https', 'http', 'mailto'].includes(scheme)) dangers.push(`${name} ${value}`);
        }
      },
    });
    parser.end(body);
    return dangers;
  }

  it.each(XSS_CORPUS)('has nothing that runs: %s', async (attack) => {
    for (const format of ['markdown', 'html'] as const) {
      const { body } = await converted(format, 'html', attack);
      expect(dangersOf(body)).toEqual([]);
    }
  });

  it('has nothing that runs, whatever is put together', async () => {
    const part = fc.oneof(
      fc.constantFrom(...XSS_CORPUS),
      fc.string(),
      fc.constantFrom('<', '>', '"', "'", '`', '\0', '-->', '</'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        const { body } = await converted('markdown', 'html', parts.join('').replaceAll('\0', ''));
        expect(dangersOf(body)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('stays what it is when it is made safe again', async () => {
    for (const attack of XSS_CORPUS) {
      const once = (await converted('html', 'html', attack)).body;
      const again = (await converted('html', 'html', once)).body;
      const bare = (html: string) => html.replaceAll(/user-content-| rel="[^"]*"/g, '');
      expect(bare(again)).toBe(bare(once));
    }
  });
});

describe('HTML', () => {
  const page = `<!doctype html><title> A  page </title><style>p{}</style><script type="application/ld+json">
    {"@type":"Article","name":"<b>"}</script><script type='application/LD+JSON; charset=utf-8'>[1]</script>
    <script type="application/ld+json">{ no json</script><script>var x = 1</script><h1>Head</h1><p>Some <b>text</b><br>more</p>`;

  it('gives its JSON-LD, and says which blocks are none', async () => {
    const { jsonLd, title, problems } = (await converted('html', 'json', page)).json();
    expect({ jsonLd, title }).toEqual({
      jsonLd: [{ '@type': 'Article', name: '<b>' }, [1]],
      title: 'A page',
    });
    expect(problems).toEqual([{ block: 3, message: expect.any(String) }]);
  });

  it('becomes the text that a reader sees', async () => {
    expect((await converted('html', 'text', page)).body).toBe('Head\nSome text\nmore\n');
  });
});

describe('CSV', () => {
  it.each([
    [',', 'a,b\n1,2\n'],
    [';', 'a;b\r\n1,5;2\r\n'],
    ['\t', 'a\tb\n1\t2\n'],
    ['|', 'a|b\n1|2'],
  ])('finds the delimiter %j', async (delimiter, text) => {
    const { columns, rowCount, ...rest } = await csv(text);
    expect(rest['delimiter']).toBe(delimiter);
    expect({ columns, rowCount }).toEqual({ columns: ['a', 'b'], rowCount: 1 });
  });

  it('reads quotes, a byte order mark, UTF-16, and leaves formulas text', async () => {
    const text = '\ufeffname,"the ""value"""\n"a,\nb",=1+1\nc,@SUM(A1)\n';
    const rows = [
      { name: 'a,\nb', 'the "value"': '=1+1' },
      { name: 'c', 'the "value"': '@SUM(A1)' },
    ];
    expect((await csv(text))['rows']).toEqual(rows);
    expect((await csv(Buffer.from(text, 'utf16le')))['rows']).toEqual(rows);
  });

  it('names ragged rows with their lines', async () => {
    const result = await csv('a,b\n1\n1,2,3\n1,2\n');
    expect(result).toMatchObject({
      raggedCount: 2,
      ragged: [
        { line: 2, fields: 1, expected: 2 },
        { line: 3, fields: 3, expected: 2 },
      ],
    });
    expect(result['rows']).toEqual([
      { a: '1', b: null },
      { a: '1', b: '2', _extra: ['3'] },
      { a: '1', b: '2' },
    ]);
  });

  it('tells apart columns of one name, and takes any name', async () => {
    const { body } = await converted('csv', 'json', 'a,a,,__proto__,_extra\n1,2,3,4,5\n');
    expect(body).toContain('{"a":"1","a_2":"2","column3":"3","__proto__":"4","_extra_2":"5"}');
  });

  it('has a header, or not, and the delimiter that it is told', async () => {
    expect((await csv('1,2\n3,4\n', { header: false }))['rows']).toMatchObject([
      { column1: '1', column2: '2' },
      {},
    ]);
    expect((await csv('a,b;c\n1,2;3\n', { delimiter: 'semicolon' }))['columns']).toEqual(['a,b', 'c']);
    expect(await csv('')).toMatchObject({ columns: [], rowCount: 0, rows: [] });
  });

  it('refuses a quote that nobody closes', async () => {
    await expect(csv(`a,b\n"${'x'.repeat(2_000_000)}`)).rejects.toThrow('The CSV cannot be read');
  });
});

describe('encodings', () => {
  it('replaces what cannot be decoded, and says so', async () => {
    const { body, notes } = await converted('markdown', 'text', Buffer.from('caf\xe9', 'latin1'));
    expect(body).toBe('caf\u{fffd}\n');
    expect(notes).toEqual([expect.stringContaining('not valid UTF-8')]);
  });

  it('refuses what is no text', async () => {
    await expect(converted('markdown', 'html', Buffer.from([0, 1, 2, 3]))).rejects.toThrow('binary');
    // UTF-32 without a mark: every letter has NULs.
    await expect(converted('csv', 'json', Buffer.from([97, 0, 0, 0, 44, 0, 0, 0]))).rejects.toThrow('binary');
  });
});

describe('the format of a file', () => {
  it.each<[string, string, SourceFormat | undefined]>([
    ['text/markdown; charset=utf-8', 'a', 'markdown'],
    ['TEXT/HTML', 'a.md', 'html'],
    ['text/plain', 'a.MD', 'markdown'],
    ['application/octet-stream', 'a.csv', 'csv'],
    ['text/tab-separated-values', 'a', 'csv'],
    ['image/png', 'a.md', undefined],
    ['text/plain', 'a.txt', undefined],
  ])('%s of %s is %s', (mediaType, name, format) => expect(sourceFormatOf({ mediaType, name })).toBe(format));
});
