/** A heading, a code block, or lines between blank ones. Blocks follow each other without a gap. */
export interface Block {
  /** Where it begins and ends in the text, UTF-16 units; the blank lines after it belong to it. */
  readonly start: number;
  readonly end: number;
  readonly kind: 'heading' | 'code' | 'text';
  /** Of a heading: 1 is the outermost. */
  readonly level: number;
  readonly title: string;
}

interface Line {
  readonly start: number;
  /** After the line end. */
  readonly end: number;
  /** Without the line end. */
  readonly text: string;
}

const FENCE = /^\s*(`{3,}|~{3,})/;
const ATX_HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const CLOSING_HASHES = /(?:^|[ \t])#+[ \t]*$/;
const UNDERLINE = /^ {0,3}(=+|-{2,})[ \t]*$/;
/** A line that cannot be the text of a heading that is underlined: of a list, a quotation or a table. */
const NO_TITLE = /^\s*(?:[-*+>|]|\d+[.)])/;
const FRONT_MATTER = /^---[ \t]*$/;
const BLANK = /^\s*$/;

/** The blocks of a Markdown text, by the rules of CommonMark as far as they matter for where it can be parted (spec.commonmark.org). */
export function markdownBlocks(text: string): Block[] {
  const lines = linesOf(text);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const { count, ...block } = nextBlock(lines, at);
    const end = skipBlank(lines, at + count);
    blocks.push({ level: 0, title: '', ...block, ...range(lines, at, end) });
    at = end;
  }
  return blocks;
}

/** The paragraphs of a text without structure. */
export function plainBlocks(text: string): Block[] {
  const lines = linesOf(text);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const end = skipBlank(lines, at + paragraphLength(lines, at, () => false));
    blocks.push({ level: 0, title: '', kind: 'text', ...range(lines, at, end) });
    at = end;
  }
  return blocks;
}

type NextBlock = Pick<Block, 'kind'> & Partial<Pick<Block, 'level' | 'title'>> & { readonly count: number };

function nextBlock(lines: readonly Line[], at: number): NextBlock {
  const line = lines[at]?.text ?? '';
  if (at === 0 && FRONT_MATTER.test(line)) {
    const end = lines.findIndex((it, index) => index > 0 && FRONT_MATTER.test(it.text));
    if (end > 0) return { kind: 'text', count: end + 1 };
  }
  const fence = FENCE.exec(line)?.[1];
  if (fence) return { kind: 'code', count: fencedLength(lines, at, fence) };
  const heading = ATX_HEADING.exec(line);
  if (heading) {
    const title = (heading[2] ?? '').replace(CLOSING_HASHES, '').trim();
    return { kind: 'heading', count: 1, level: heading[1]?.length ?? 1, title };
  }
  const underline = UNDERLINE.exec(lines[at + 1]?.text ?? '')?.[1];
  if (underline && !BLANK.test(line) && !NO_TITLE.test(line)) {
    return { kind: 'heading', count: 2, level: underline.startsWith('=') ? 1 : 2, title: line.trim() };
  }
  return { kind: 'text', count: paragraphLength(lines, at, (it) => FENCE.test(it) || ATX_HEADING.test(it)) };
}

/** Up to its closing fence, or to the end of the text without one. */
function fencedLength(lines: readonly Line[], at: number, fence: string): number {
  for (let next = at + 1; next < lines.length; next++) {
    const line = lines[next]?.text.trim() ?? '';
    if (line.startsWith(fence) && line === fence.charAt(0).repeat(line.length)) return next + 1 - at;
  }
  return lines.length - at;
}

function paragraphLength(
  lines: readonly Line[],
  at: number,
  isInterrupted: (line: string) => boolean,
): number {
  let next = at + 1;
  while (next < lines.length) {
    const line = lines[next]?.text ?? '';
    if (BLANK.test(line) || isInterrupted(line)) break;
    next++;
  }
  return next - at;
}

function skipBlank(lines: readonly Line[], at: number): number {
  let next = at;
  while (next < lines.length && BLANK.test(lines[next]?.text ?? '')) next++;
  return next;
}

function range(lines: readonly Line[], from: number, to: number): { start: number; end: number } {
  return { start: lines[from]?.start ?? 0, end: lines[to - 1]?.end ?? 0 };
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed + 1;
    lines.push({ start, end, text: text.slice(start, end).replace(/\r?\n$/, '') });
    start = end;
  }
  return lines;
}
