import { Parser } from 'htmlparser2';
import { ID_PREFIX } from './sanitize.js';

export interface Heading {
  /** 1 to 6. */
  level: number;
  text: string;
  /** In the HTML of the same file. */
  id: string;
}

interface Found extends Heading {
  /** Behind `<h1` in the HTML. */
  position: number;
}

/** Gives every heading of sanitised HTML an id made of its text, for links into the page. */
export function withAnchors(html: string): { html: string; headings: Heading[] } {
  const found = findHeadings(html);
  const parts: string[] = [];
  let from = 0;
  for (const { position, id } of found) {
    parts.push(html.slice(from, position), ` id="${id}"`);
    from = position;
  }
  parts.push(html.slice(from));
  return { html: parts.join(''), headings: found.map(({ level, text, id }) => ({ level, text, id })) };
}

function findHeadings(html: string): Found[] {
  const headings: Found[] = [];
  const used = new Map<string, number>();
  let open: Found | undefined;
  const parser = new Parser({
    onopentagname: (name) => {
      if (!/^h[1-6]$/.test(name)) return;
      open = { level: Number(name[1]), text: '', id: '', position: parser.startIndex + name.length + 1 };
    },
    ontext: (text) => {
      if (open) open.text += text;
    },
    onclosetag: (name) => {
      if (!open || !/^h[1-6]$/.test(name)) return;
      open.text = open.text.replaceAll(/\s+/g, ' ').trim();
      open.id = ID_PREFIX + unique(slugOf(open.text), used);
      headings.push(open);
      open = undefined;
    },
  });
  parser.end(html);
  return headings;
}

/** Letters, digits, hyphens and underscores of any script, lower case: nothing that an attribute would have to escape. */
function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_\s-]/gu, '')
    .trim()
    .replaceAll(/\s+/g, '-');
  return slug.slice(0, 100) || 'section';
}

function unique(slug: string, used: Map<string, number>): string {
  for (let name = slug; ;) {
    const times = used.get(slug) ?? 0;
    used.set(slug, times + 1);
    if (times > 0) name = `${slug}-${times}`;
    if (times === 0 || !used.has(name)) {
      used.set(name, used.get(name) ?? 1);
      return name;
    }
  }
}
