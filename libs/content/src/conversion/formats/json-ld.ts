import { Parser } from 'htmlparser2';

/** What a page says of itself for machines. */
export interface StructuredData {
  title: string | null;
  /** Each `<script type="application/ld+json">`, parsed; not interpreted, so nothing of it is fetched. */
  jsonLd: unknown[];
  /** Blocks that are no JSON. */
  problems: { block: number; message: string }[];
}

const JSON_LD = /^\s*application\/ld\+json\s*(?:;|$)/i;

/** JSON-LD 1.1, section 7: the blocks of an HTML page, in their order. */
export function extractJsonLd(html: string): StructuredData {
  const data: StructuredData = { title: null, jsonLd: [], problems: [] };
  let block: string | undefined;
  let title: string | undefined;
  let blocks = 0;
  const parser = new Parser({
    onopentag: (name, attributes) => {
      if (name === 'script' && JSON_LD.test(attributes['type'] ?? '')) block = '';
      if (name === 'title' && data.title === null) title = '';
    },
    ontext: (text) => {
      if (block !== undefined) block += text;
      else if (title !== undefined) title += text;
    },
    onclosetag: (name) => {
      if (name === 'title' && title !== undefined) {
        data.title = title.replaceAll(/\s+/g, ' ').trim();
        title = undefined;
      }
      if (name !== 'script' || block === undefined) return;
      read(block, ++blocks, data);
      block = undefined;
    },
  });
  parser.end(html);
  return data;
}

function read(block: string, number: number, { jsonLd, problems }: StructuredData): void {
  try {
    jsonLd.push(JSON.parse(block));
  } catch (error) {
    problems.push({ block: number, message: error instanceof Error ? error.message : String(error) });
  }
}
