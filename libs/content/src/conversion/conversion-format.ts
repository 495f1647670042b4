/** What a file can be converted to. */
export const CONVERSION_TARGETS = ['html', 'text', 'json'] as const;
export type ConversionTarget = (typeof CONVERSION_TARGETS)[number];

/** What can be converted. */
export type SourceFormat = 'markdown' | 'html' | 'csv';

/** How the fields of a CSV are separated; `auto` looks at its first lines. */
export const CSV_DELIMITERS = ['auto', 'comma', 'semicolon', 'tab', 'pipe'] as const;
export type CsvDelimiter = (typeof CSV_DELIMITERS)[number];

/** What may be said about a conversion. All have defaults: no option is the same as its default. */
export interface ConversionOptions {
  /** Of a CSV. @default 'auto' */
  delimiter?: CsvDelimiter | undefined;
  /** Whether the first row of a CSV has the names of its columns. @default true */
  header?: boolean | undefined;
}

/** What a conversion has made. */
export interface Conversion {
  mediaType: string;
  body: string;
  /** What was not as it should be and did not stop it, for a person: undecodable bytes, a wrong front matter. */
  notes: string[];
}

const TARGETS: Readonly<Record<SourceFormat, readonly ConversionTarget[]>> = {
  markdown: ['html', 'text', 'json'],
  html: ['html', 'text', 'json'],
  csv: ['json'],
};

const MEDIA_TYPES: Readonly<Record<string, SourceFormat>> = {
  'text/markdown': 'markdown',
  'text/x-markdown': 'markdown',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
};

const ENDINGS: readonly (readonly [RegExp, SourceFormat])[] = [
  [/\.(?:md|mdx|markdown)$/i, 'markdown'],
  [/\.x?html?$/i, 'html'],
  [/\.(?:csv|tsv)$/i, 'csv'],
];

/** The format of a file: by its media type, else, for plain or unknown text, by the ending of its name. */
export function sourceFormatOf(file: { mediaType: string; name: string }): SourceFormat | undefined {
  const [type = ''] = file.mediaType.split(';', 1);
  const stated = MEDIA_TYPES[type.trim().toLowerCase()];
  if (stated) return stated;
  if (!/^(?:text\/plain|application\/octet-stream|application\/vnd\.ms-excel)$/.test(type.trim()))
    return undefined;
  return ENDINGS.find(([ending]) => ending.test(file.name))?.[1];
}

/** What a format can be converted to. */
export function targetsOf(format: SourceFormat): readonly ConversionTarget[] {
  return TARGETS[format];
}
