import { decodeText } from '../extraction/decode-text.js';
import type { Conversion, ConversionOptions, ConversionTarget, SourceFormat } from './conversion-format.js';
import { ConversionRefusal } from './conversion-refusal.js';
import { csvToJson } from './formats/csv.js';
import { readFrontMatter } from './formats/front-matter.js';
import { extractJsonLd } from './formats/json-ld.js';
import { htmlToHtml, markdownToHtml } from './formats/markdown.js';
import { htmlToText } from './formats/plain-text.js';

/** Part of every key: what an older converter has made is not shown for what this one would make. */
export const CONVERTER_VERSION = 1;

export interface ConversionJob {
  bytes: Uint8Array;
  format: SourceFormat;
  target: ConversionTarget;
  options: ConversionOptions;
}

const MEDIA_TYPES: Readonly<Record<ConversionTarget, string>> = {
  html: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
};

/**
 * Converts one content. Nothing is read but the bytes, nothing is fetched, and the same job always has the same result.
 *
 * @throws {ConversionRefusal} when the content cannot be converted
 */
export async function convert({ bytes, format, target, options }: ConversionJob): Promise<Conversion> {
  const { text, detail } = decodeText(bytes, bytes.length, Infinity);
  if (text === null)
    throw new ConversionRefusal('The content is binary, or in an encoding that is not UTF-8 or UTF-16');
  const notes = detail === null ? [] : [detail];
  const body = await bodyOf(format, target, text, { options, notes });
  return { mediaType: MEDIA_TYPES[target], body, notes };
}

interface Details {
  options: ConversionOptions;
  notes: string[];
}

function bodyOf(
  format: SourceFormat,
  target: ConversionTarget,
  text: string,
  { options, notes }: Details,
): string | Promise<string> {
  if (format === 'csv') return csvToJson(text, options);
  if (format === 'html') {
    if (target === 'json') return JSON.stringify(extractJsonLd(text));
    return target === 'html' ? htmlToHtml(text).html : htmlToText(text);
  }
  const { value, problem, body } = readFrontMatter(text);
  if (problem !== null && target === 'json') throw new ConversionRefusal(problem);
  if (problem !== null) notes.push(problem);
  const { html, headings } = markdownToHtml(body);
  if (target === 'json') return JSON.stringify({ frontMatter: value, headings });
  return target === 'html' ? html : htmlToText(html);
}
