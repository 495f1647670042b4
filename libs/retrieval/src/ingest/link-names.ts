import { posix } from 'node:path';

const MARKDOWN_ENDING = /\.(?:md|mdx|markdown)$/i;
/** What a folder shows. */
const FOLDER_PAGE = /^(?:readme|index)$/i;
const OTHER_SCHEME = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;
const LONGEST_NAME_BYTES = 1_024;

/** What is a Markdown text by its path. */
export function isMarkdownPath(path: string): boolean {
  return MARKDOWN_ENDING.test(path);
}

/**
 * What links may call a document: its path, that without the ending, its folder when it is the page of that; and for links by title,
 * `[[…]]`, its name or path without the ending, whatever the case.
 */
export function namesOf(path: string): string[] {
  const bare = path.replace(MARKDOWN_ENDING, '');
  const name = posix.basename(bare);
  const names = [path, bare, byTitle(name), byTitle(bare)];
  if (FOLDER_PAGE.test(name)) names.push(posix.dirname(bare));
  return [...new Set(names)];
}

/** The name that a link of the document at `path` has for its target; undefined when that is not a document of the workspace. */
export function targetOf(path: string, reference: string): string | undefined {
  const [target = ''] = reference.split(/[?#]/, 1);
  if (target === '' || OTHER_SCHEME.test(target)) return undefined;
  const decoded = decode(target);
  const from = decoded.startsWith('/') ? '' : posix.dirname(path);
  const name = posix.normalize(posix.join(from, decoded)).replace(/^\/+|\/+$/g, '') || '.';
  return name === '..' || name.startsWith('../') ? undefined : bounded(name);
}

/** The same for a link by title. */
export function titleTarget(title: string): string | undefined {
  const name = title.trim().replace(MARKDOWN_ENDING, '');
  return name === '' ? undefined : bounded(byTitle(name));
}

function byTitle(name: string): string {
  return `[[${name.toLowerCase()}]]`;
}

/** Undefined for what is no path of a file, and would not fit into an index. */
function bounded(name: string): string | undefined {
  return Buffer.byteLength(name) <= LONGEST_NAME_BYTES ? name : undefined;
}

function decode(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    // A percent sign that means itself.
    return target;
  }
}
