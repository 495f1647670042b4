/** A table as people read it: every cell is text, the first column is on the left and all others on the right. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Cells that hold words instead of numbers stay on the left. @default false */
  readonly isText?: boolean;
}

/** A goal, and what came out. */
export interface Line {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly bound: 'at most' | 'at least';
  readonly unit: string;
}

/** What one suite found. */
export interface SuiteResult {
  readonly title: string;
  /** How it was measured, a sentence each. */
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
  readonly lines: readonly Line[];
  /** Every repetition, for the JSON file. */
  readonly samples: unknown;
}

/** What the whole run writes. */
export interface BenchReport {
  readonly title: string;
  /** As people type it. */
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly suites: readonly SuiteResult[];
}

/** Not a number misses every line. */
export const isMet = ({ measured, limit, bound }: Line): boolean =>
  bound === 'at most' ? measured <= limit : measured >= limit;

/** The outcome in words: `met`, or by how much it was missed in the unit, and in percent of a limit that is not 0. */
export function outcomeOf(line: Line): string {
  if (isMet(line)) return 'met';
  if (Number.isNaN(line.measured)) return 'missed: not measured';
  const distance = Math.abs(line.measured - line.limit);
  const share = line.limit === 0 ? '' : ` (${Math.round((100 * distance) / line.limit)} %)`;
  return `missed by ${formatNumber(distance)} ${line.unit}${share}`;
}

/** Three significant digits below a thousand, whole numbers with separators above. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return 'n/a';
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
}

/** A number with its unit, `n/a` alone when there is none. */
export const formatRatio = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? 'n/a' : `${formatNumber(value)}x`;

/** One Markdown table, its columns padded so that it reads as text too. */
export function renderTable({ caption, columns, rows, isText = false }: Table): string {
  const escaped = [columns, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = columns.map((_, i) => Math.max(3, ...escaped.map((row) => row[i]?.length ?? 0)));
  const isLeft = (i: number) => i === 0 || isText;
  const render = (row: readonly string[]) => {
    const cells = widths.map((width, i) => {
      const cell = row[i] ?? '';
      return isLeft(i) ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, i) => (isLeft(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [head = [], ...body] = escaped;
  return [caption, '', render(head), render(rule), ...body.map(render)].join('\n');
}

/** The goals of all suites in one table. */
export function linesTable(lines: readonly Line[]): Table {
  return {
    caption: 'Goals and what came out:',
    columns: ['Goal', 'Limit', 'Measured', 'Outcome'],
    isText: true,
    rows: lines.map((line) => [
      line.what,
      `${line.bound} ${formatNumber(line.limit)} ${line.unit}`.trimEnd(),
      `${formatNumber(line.measured)} ${line.unit}`.trimEnd(),
      outcomeOf(line),
    ]),
  };
}

/** The report as a Markdown document. */
export function renderReport({ title, command, environment, suites }: BenchReport): string {
  const lines = suites.flatMap((it) => it.lines);
  const facts: Table = {
    caption: 'Where it ran:',
    columns: ['What', 'Value'],
    isText: true,
    rows: Object.entries(environment),
  };
  const parts = [
    `# ${title}`,
    `Written by \`${command}\`; do not edit it by hand.`,
    renderTable(facts),
    ...(lines.length === 0 ? [] : ['## Goals', renderTable(linesTable(lines))]),
    ...suites.flatMap((it) => [
      `## ${it.title}`,
      ...(it.notes.length === 0 ? [] : [it.notes.join('\n')]),
      ...it.tables.map(renderTable),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
}
