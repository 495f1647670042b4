import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { basename, dirname, resolve } from 'node:path';
import { FileBody } from '../origin/file-body.js';
import { encodePath } from '../http/request-path.js';
import { Origin } from '../origin/origin.js';
import { type OriginResponse, redirectResponse } from '../origin/origin-response.js';
import type { OriginOptionsInput } from '../origin/origin.options.js';
import { sendResponse } from '../origin/send-response.js';
import { cacheControlForMaxAge } from './max-age.js';

/** The options of Express's serve-static, with its defaults and meanings, and what an origin has beside them. */
export interface ServeStaticOptions {
  readonly acceptRanges?: boolean;
  /** False sends no `Cache-Control` and passes over `maxAge` and `immutable`. @default true */
  readonly cacheControl?: boolean;
  readonly dotfiles?: 'allow' | 'deny' | 'ignore';
  readonly etag?: boolean;
  readonly extensions?: readonly string[] | string | false;
  /** Leaves what can not be served to the next handler; false hands it an error with `status`. @default true */
  readonly fallthrough?: boolean;
  readonly immutable?: boolean;
  readonly index?: string | readonly string[] | false;
  readonly lastModified?: boolean;
  /** Milliseconds, or a text such as `30d`. @default 0 */
  readonly maxAge?: number | string;
  readonly redirect?: boolean;
  /** Called for a file before its headers are sent; what it sets stays. */
  readonly setHeaders?: (response: ServerResponse, path: string, stats: Stats) => void;
  /** As in an origin; serve-static has none. @default none */
  readonly compression?: OriginOptionsInput['compression'];
}

/** A handler as Connect and Express call it. */
export type StaticHandler = (
  request: IncomingMessage & { originalUrl?: string },
  response: ServerResponse,
  next: (error?: Error) => void,
) => void;

/** What `next` gets when `fallthrough` is off. */
type HttpError = Error & {
  status: number;
  statusCode: number;
  headers?: Record<string, string>;
  expose: boolean;
};

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];

/**
 * A handler in place of `serveStatic(root, options)` of Express, on the origin: from memory, with strong tags, without
 * its faults. It answers with the headers of serve-static, not with those of a policy table; and it follows no link out
 * of the folder.
 *
 * @throws {TypeError} as serve-static does
 */
export function serveStatic(root: string, options: ServeStaticOptions = {}): StaticHandler {
  if (!root) throw new TypeError('root path required');
  if (typeof root !== 'string') throw new TypeError('root path must be a string');
  const { setHeaders } = options;
  if (setHeaders && typeof setHeaders !== 'function')
    throw new TypeError('option setHeaders must be function');
  const folder = resolve(root);
  const origins = {
    origin: new Origin(originOptions(folder, options)),
    parent: new Origin(originOptions(dirname(folder), options)),
    root: folder,
    isRedirecting: options.redirect !== false,
  };
  const isFallthrough = options.fallthrough !== false;

  const serve = async (...[request, response, next]: Parameters<StaticHandler>): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      if (isFallthrough) return next();
      return void response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': '0' }).end();
    }
    const answer = await answerTo(origins, request, response);
    const { status, file } = answer;
    if (file === undefined && status >= 400) {
      // Of a file that is there, the next handler can only make a failure out of it.
      const isAboutFile = status === 412 || status === 416;
      return isFallthrough && !isAboutFile && status < 500 ? next() : next(errorFor(answer, response));
    }
    if (setHeaders && file) setHeaders(response, file.realPath, await stat(file.realPath));
    await sendResponse(response, withHeadersOf(response, answer));
  };
  return (request, response, next) => void serve(request, response, next).catch(next);
}

function originOptions(root: string, options: ServeStaticOptions): OriginOptionsInput {
  const { acceptRanges, dotfiles, etag, lastModified, redirect, compression, extensions, index } = options;
  const maxAge = cacheControlForMaxAge(options.maxAge, options.immutable ?? false);
  return {
    root,
    acceptRanges,
    dotfiles,
    etag,
    lastModified,
    redirect,
    extensions: typeof extensions === 'string' ? [extensions] : extensions && [...extensions],
    index: typeof index === 'object' ? [...index] : index,
    compression: compression ?? { enabled: false, precompressed: false },
    cacheControl: options.cacheControl === false ? false : maxAge,
    policy: { headers: {}, types: { svg: { headers: {} }, html: { headers: {} } } },
    otherSpellings: 'serve',
    // Answers with several parts are none of its.
    maxRanges: 1,
  };
}

interface Origins {
  readonly root: string;
  readonly origin: Origin;
  /** Of the folder above: for a root that is a file. */
  readonly parent: Origin;
  readonly isRedirecting: boolean;
}

async function answerTo(
  { root, origin, parent, isRedirecting }: Origins,
  request: Parameters<StaticHandler>[0],
  response: ServerResponse,
): Promise<OriginResponse> {
  const { method = 'GET', url = '/', originalUrl = url } = request;
  const [originalPath = '', ...query] = originalUrl.split('?');
  const slashed = [`${originalPath.replace(/^\/+/, '/')}/`, ...query].join('?');
  // A handler before this one has decided that it is a failure: then it is sent as it is.
  const isPlain = response.statusCode >= 300 && response.statusCode !== 304;
  const headers = { ...request.headers };
  if (isPlain) for (const name of CONDITIONS) delete headers[name];
  // Mounted below a path that was asked for without its slash: the root itself is meant.
  const isRoot = /^\/?(?:\?|$)/.test(url) && !originalPath.endsWith('/');
  if (isRoot && isRedirecting && (await isFolder(root))) return redirectResponse(301, slashed, method);
  const answer = isRoot
    ? await parent.handle({ method, url: encodePath(`/${basename(root)}`), headers })
    : await origin.handle({ method, url, headers });
  const isToSlash = answer.file === undefined && answer.status === 301;
  if (isToSlash) return redirectResponse(301, encodeURI(decodeLoosely(slashed)), method);
  return isPlain && answer.status === 200 ? { ...answer, status: response.statusCode } : answer;
}

/** What handlers before this one have set stays. */
function withHeadersOf(response: ServerResponse, answer: OriginResponse): OriginResponse {
  const headers = answer.headers.filter((_, i) => !response.hasHeader(answer.headers[i - (i % 2)] ?? ''));
  // The text in advance knows neither them nor another status.
  return { ...answer, headers, block: undefined };
}

function errorFor(answer: OriginResponse, response: ServerResponse): HttpError {
  const { status, headers, body, fault } = answer;
  if (body instanceof FileBody) void body.close();
  const at = headers.indexOf('Content-Range');
  const range = at === -1 ? undefined : { 'Content-Range': headers[at + 1] ?? '' };
  if (range) response.setHeader('Content-Range', range['Content-Range']);
  const message = STATUS_CODES[status] ?? String(status);
  const error = new Error(fault === undefined ? message : `${message} (${fault})`);
  // As http-errors names them, and the stack begins with the name.
  error.name = `${message.replaceAll(' ', '')}Error`;
  Error.captureStackTrace(error, errorFor);
  return Object.assign(error, {
    status,
    statusCode: status,
    expose: status < 500,
    ...(range && { headers: range }),
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function decodeLoosely(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
