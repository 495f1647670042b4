/** What a request target means. */
export type RequestPath =
  | {
      /** Decoded, begins with `/`, without empty parts, dot segments or a query; ends in `/` for a folder. */
      readonly path: string;
      /** As sent, without the `?`; empty when there is none. */
      readonly query: string;
      /** Whether this is the one spelling that caches, purges and guards know. */
      readonly isCanonical: boolean;
      /** That spelling, without the query. */
      readonly canonical: string;
    }
  /** It can not be decoded. */
  | 'malformed'
  /** It leads out of the root, or hides a separator. */
  | 'forbidden';

/** Most targets need no decoding. */
const PLAIN = /^(?:\/[\w\-~!$&'()*+,;=:@][\w\-.~!$&'()*+,;=:@]*)+\/?$/;
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;
const SEPARATOR_OR_CONTROL = /[\\\p{Cc}]/u;

/** Reads the target of a request line once; everything after this works on the decoded path alone. */
export function parseRequestPath(target: string): RequestPath {
  const relative = target.startsWith('/') ? target : target.replace(ABSOLUTE_FORM, '') || '/';
  const end = relative.search(/[?#]/);
  const raw = end === -1 ? relative : relative.slice(0, end);
  const query = end === -1 || relative[end] === '#' ? '' : (relative.slice(end + 1).split('#', 1)[0] ?? '');
  if (raw === '/' || PLAIN.test(raw)) return { path: raw, query, isCanonical: true, canonical: raw };
  return raw.startsWith('/') ? decodePath(raw, query) : 'malformed';
}

function decodePath(raw: string, query: string): RequestPath {
  const parts: string[] = [];
  let last = '';
  for (const rawPart of raw.slice(1).split('/')) {
    const part = decodePart(rawPart);
    if (part === undefined || part.includes('\0')) return 'malformed';
    // An escaped separator means different things to different programs: to nobody here.
    if (part.includes('/') || SEPARATOR_OR_CONTROL.test(part)) return 'forbidden';
    if (part === '..') {
      if (parts.pop() === undefined) return 'forbidden';
    } else if (part !== '' && part !== '.') {
      parts.push(part);
    }
    last = part;
  }
  const isFolder = ['', '.', '..'].includes(last) && parts.length > 0;
  const path = `/${parts.join('/')}${isFolder ? '/' : ''}`;
  const canonical = encodePath(path);
  return { path, query, isCanonical: raw === canonical, canonical };
}

/** The canonical spelling of a decoded path. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((it) => encodeURIComponent(it).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent))
    .join('/');
}

function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
