import { parse } from 'csv-parse';
import { Readable } from 'node:stream';
import type { ConversionOptions, CsvDelimiter } from '../conversion-format.js';
import { ConversionRefusal } from '../conversion-refusal.js';

const CHARACTERS: Readonly<Record<Exclude<CsvDelimiter, 'auto'>, string>> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  pipe: '|',
};
/** How much of the text the delimiter is looked for in, characters. */
const SAMPLE_LENGTH = 65_536;
const SAMPLE_LINES = 20;
/** How much of the text is parsed at once, characters: the rest of the thread's memory is for the result. */
const CHUNK_LENGTH = 65_536;
/** A longer one is a quote that nobody closed. */
const MAX_RECORD_LENGTH = 1_048_576;
const MAX_COLUMNS = 10_000;
/** How many ragged rows are named; all are counted. */
const NAMED_RAGGED_ROWS = 100;

interface CsvRecord {
  record: string[];
  info: { lines: number };
}

/**
 * CSV, RFC 4180 with the usual liberties, as JSON: `{ delimiter, columns, rows, rowCount, ragged, raggedCount }`. A row is an
 * object by column, every value text, formulas as they are. A row with too few or too many fields is ragged: what it lacks
 * is null, what is too much is under `_extra`, and it is named with its line.
 *
 * Row by row: what is held is the text and the result.
 */
export async function csvToJson(text: string, options: ConversionOptions): Promise<string> {
  const { delimiter = 'auto', header = true } = options;
  const character = delimiter === 'auto' ? detectDelimiter(text) : CHARACTERS[delimiter];
  const table = new JsonTable(header);
  const records = Readable.from(chunksOf(text)).pipe(
    parse({
      delimiter: character,
      bom: true,
      info: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: MAX_RECORD_LENGTH,
    }),
  );
  try {
    for await (const it of records) table.add(it as CsvRecord);
  } catch (error) {
    if (error instanceof ConversionRefusal) throw error;
    throw new ConversionRefusal(
      `The CSV cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return table.end(character);
}

/** The one that cuts most lines into the same number of fields, more than one; commas when none does. */
export function detectDelimiter(text: string): string {
  const lines = text
    .slice(0, SAMPLE_LENGTH)
    .replaceAll(/"(?:[^"]|"")*"/g, '')
    .split(/\r\n|\n|\r/)
    .filter((it) => it.trim() !== '')
    .slice(0, SAMPLE_LINES);
  let best = { character: ',', score: 0 };
  for (const character of Object.values(CHARACTERS)) {
    const counts = lines.map((it) => it.split(character).length - 1);
    const [first = 0] = counts;
    const score = first === 0 ? 0 : first * counts.filter((it) => it === first).length ** 2;
    if (score > best.score) best = { character, score };
  }
  return best.character;
}

function* chunksOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; start += CHUNK_LENGTH)
    yield text.slice(start, start + CHUNK_LENGTH);
}

/** Written as text: a column may be called like anything, `__proto__` too. */
class JsonTable {
  readonly #rows: string[] = [];
  readonly #ragged: { line: number; fields: number; expected: number }[] = [];
  #raggedCount = 0;
  readonly #hasHeader: boolean;
  #columns: string[] | undefined;
  #keys: string[] = [];

  constructor(hasHeader: boolean) {
    this.#hasHeader = hasHeader;
  }

  add({ record, info }: CsvRecord): void {
    if (this.#columns === undefined) {
      this.#setColumns(this.#hasHeader ? record : record.map((_, index) => `column${index + 1}`));
      if (this.#hasHeader) return;
    }
    const expected = this.#keys.length;
    if (record.length !== expected && this.#raggedCount++ < NAMED_RAGGED_ROWS)
      this.#ragged.push({ line: info.lines, fields: record.length, expected });
    const fields = this.#keys.map((key, index) => `${key}:${JSON.stringify(record[index] ?? null)}`);
    if (record.length > expected) fields.push(`"_extra":${JSON.stringify(record.slice(expected))}`);
    this.#rows.push(`{${fields.join(',')}}`);
  }

  end(delimiter: string): string {
    const head = JSON.stringify({
      delimiter,
      columns: this.#columns ?? [],
      rowCount: this.#rows.length,
      raggedCount: this.#raggedCount,
      ragged: this.#ragged,
    });
    return `${head.slice(0, -1)},"rows":[${this.#rows.join(',\n')}]}`;
  }

  /** Columns of one name, or of none, are told apart by their number. */
  #setColumns(names: readonly string[]): void {
    if (names.length > MAX_COLUMNS)
      throw new ConversionRefusal(`The CSV has more than ${MAX_COLUMNS} columns`);
    const used = new Set<string>(['_extra']);
    this.#columns = names.map((name, index) => {
      const base = name.trim() || `column${index + 1}`;
      let unique = base;
      for (let n = 2; used.has(unique); n++) unique = `${base}_${n}`;
      used.add(unique);
      return unique;
    });
    this.#keys = this.#columns.map((it) => JSON.stringify(it));
  }
}
