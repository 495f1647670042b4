import { type Labels, type PageFamily, type PageLine } from './page-family.js';
import { type Slices } from './slices.js';

/** Content type of the text exposition format, version 0.0.4. */
export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), in pieces of one slice
 * each. Its length depends on what is registered, so nothing here runs over more than one slice in one go.
 *
 * @param defaultLabels on every line; a line's own label of the same name wins
 */
export async function renderPage(
  families: Iterable<PageFamily>,
  defaultLabels: Labels,
  slices: Slices,
): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let text = '';
  for (const { name, help, type, groups } of families) {
    const lines = new LineRenderer(name, defaultLabels);
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const group of groups) {
      for (const line of group) text += lines.render(line);
      if (!slices.isFull(group.length)) continue;
      chunks.push(Buffer.from(text));
      text = '';
      await slices.pause();
    }
  }
  if (text !== '') chunks.push(Buffer.from(text));
  return chunks;
}

/** The lines of one family. */
class LineRenderer {
  #labels: Labels | undefined;
  /** Text of `#labels`, without braces. */
  #text = '';

  constructor(
    private readonly name: string,
    private readonly defaultLabels: Labels,
  ) {}

  render({ suffix = '', labels, le, value }: PageLine): string {
    if (labels !== this.#labels) {
      this.#labels = labels;
      this.#text = labelText({ ...this.defaultLabels, ...labels });
    }
    let all = this.#text;
    if (le !== undefined) all += all === '' ? `le="${le}"` : `,le="${le}"`;
    return `${this.name}${suffix}${all === '' ? '' : `{${all}}`} ${numberText(value)}\n`;
  }
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join(',');
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function escapeLabel(text: string): string {
  // Most values have nothing to escape, and a test is cheaper than three replacements.
  if (!/[\\\n"]/.test(text)) return text;
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}
