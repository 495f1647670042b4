import { type ExpositionFormat } from './exposition-format.js';
import { type Exemplar, type Labels, type PageFamily, type PageLine } from './page-family.js';
import { type Slices } from './slices.js';

const TOTAL = '_total';

/**
 * Prometheus' text format 0.0.4 or OpenMetrics 1.0.0, in pieces of one slice each. Its length depends on what is
 * registered, so nothing here runs over more than one slice in one go.
 *
 * @param defaultLabels on every line; a line's own label of the same name wins
 */
export async function renderPage(
  families: Iterable<PageFamily>,
  defaultLabels: Labels,
  slices: Slices,
  format: ExpositionFormat,
): Promise<Buffer[]> {
  const isOpen = format === 'openmetrics';
  const chunks: Buffer[] = [];
  let text = '';
  for (const { name, help, type, groups } of families) {
    const lines = new LineRenderer(name, defaultLabels, isOpen);
    text += isOpen
      ? openHead(name, type, help)
      : `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const group of groups) {
      for (const line of group) text += lines.render(line);
      if (!slices.isFull(group.length)) continue;
      chunks.push(Buffer.from(text));
      text = '';
      await slices.pause();
    }
  }
  if (isOpen) text += '# EOF\n';
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
    private readonly hasExemplars: boolean,
  ) {}

  render({ suffix = '', labels, le, value, exemplar }: PageLine): string {
    if (labels !== this.#labels) {
      this.#labels = labels;
      this.#text = labelText({ ...this.defaultLabels, ...labels });
    }
    let all = this.#text;
    if (le !== undefined) all += all === '' ? `le="${le}"` : `,le="${le}"`;
    const line = `${this.name}${suffix}${all === '' ? '' : `{${all}}`} ${numberText(value)}`;
    return exemplar && this.hasExemplars ? `${line} ${exemplarText(exemplar)}\n` : `${line}\n`;
  }
}

/**
 * The family of a counter has a name without `_total`, which its samples have. One whose name is another would have other
 * samples than in the older format, so it is told as `unknown`, as what has no type is.
 */
function openHead(name: string, type: PageFamily['type'], help: string): string {
  const isCounter = type === 'counter' && name.endsWith(TOTAL);
  const family = isCounter ? name.slice(0, -TOTAL.length) : name;
  const openType = isCounter || (type !== 'counter' && type !== 'untyped') ? type : 'unknown';
  return `# HELP ${family} ${escapeLabel(help)}\n# TYPE ${family} ${openType}\n`;
}

function exemplarText({ labels, value, seconds }: Exemplar): string {
  return `# {${labelText(labels)}} ${numberText(value)} ${seconds}`;
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
