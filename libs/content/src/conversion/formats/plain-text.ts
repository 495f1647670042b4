import { Parser } from 'htmlparser2';

/** Their text is no text of the page. */
const HIDDEN = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'head',
  'title',
  'svg',
  'math',
  'iframe',
  'textarea',
]);
/** A new line before and after. */
const BLOCKS = new Set([
  ...[
    'p',
    'div',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'li',
    'dl',
    'dt',
    'dd',
    'blockquote',
    'pre',
  ],
  ...['table', 'tr', 'caption', 'section', 'article', 'header', 'footer', 'main', 'aside', 'nav', 'figure'],
  ...['figcaption', 'details', 'summary', 'hr', 'br', 'form', 'fieldset', 'body', 'html'],
]);
const CELLS = new Set(['td', 'th']);

/** The text that a reader of the page sees, a block on each line, blocks of their own apart; code keeps its lines. */
export function htmlToText(html: string): string {
  const writer = new TextWriter();
  let hidden = 0;
  let preformatted = 0;
  const parser = new Parser({
    onopentag: (name, attributes) => {
      if (HIDDEN.has(name)) hidden++;
      if (name === 'pre') preformatted++;
      if (hidden > 0) return;
      if (BLOCKS.has(name)) writer.breakLine();
      if (name === 'li') writer.write('- ');
      if (name === 'img' && attributes['alt']) writer.write(attributes['alt']);
      if (CELLS.has(name)) writer.separateCell();
    },
    ontext: (text) => {
      if (hidden === 0)
        writer.write(preformatted > 0 ? text : text.replaceAll(/\s+/g, ' '), preformatted > 0);
    },
    onclosetag: (name) => {
      if (HIDDEN.has(name)) hidden = Math.max(0, hidden - 1);
      if (name === 'pre') preformatted = Math.max(0, preformatted - 1);
      if (hidden === 0 && BLOCKS.has(name)) writer.breakLine();
    },
  });
  parser.end(html);
  return writer.end();
}

class TextWriter {
  readonly #lines: string[] = [];
  #line = '';

  write(text: string, isPreformatted = false): void {
    if (isPreformatted) {
      const [first = '', ...rest] = text.split('\n');
      this.#line += first;
      for (const line of rest) {
        this.#lines.push(this.#line);
        this.#line = line;
      }
    } else if (this.#line === '' || this.#line.endsWith(' ')) this.#line += text.trimStart();
    else this.#line += text;
  }

  separateCell(): void {
    if (this.#line !== '') this.#line = `${this.#line.trimEnd()}\t`;
  }

  breakLine(): void {
    if (this.#line.trim() !== '') this.#lines.push(this.#line.trimEnd());
    this.#line = '';
  }

  end(): string {
    this.breakLine();
    return this.#lines.join('\n') + (this.#lines.length > 0 ? '\n' : '');
  }
}
