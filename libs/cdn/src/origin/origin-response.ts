import { STATUS_CODES } from 'node:http';
import type { RequestHeaders } from '../http/conditions.js';
import type { FileBody } from './file-body.js';
import type { LocatedFile } from './file-locator.js';
import type { HeaderBlock } from './header-block.js';

/** A request, as any HTTP framework has it. */
export interface OriginRequest {
  readonly method: string;
  /** The target as it was sent: not decoded, not normalised. */
  readonly url: string;
  /** Names in small letters, as Node gives them. */
  readonly headers: RequestHeaders;
}

/** The answer. A {@link FileBody} must be sent or closed. */
export interface OriginResponse {
  readonly status: number;
  /** Names and values in turn, as `writeHead` of Node takes them. */
  readonly headers: string[];
  /** Status and headers, where they were made in advance. */
  readonly block?: HeaderBlock | undefined;
  /** Undefined for HEAD and for answers without content. */
  readonly body: Buffer | FileBody | undefined;
  /** What the answer is about; undefined for failures and redirects. */
  readonly file?: LocatedFile;
  /** Of a failure: what the system said, such as `ENOENT`. */
  readonly fault?: string;
}

/** An answer without a resource: nothing a cache should keep. */
export function failureResponse(
  status: number,
  { method, headers = [] }: { method: string; headers?: readonly string[] },
): OriginResponse {
  return shortResponse(status, method, `${STATUS_CODES[status] ?? status}\n`, [
    'Content-Type',
    'text/plain; charset=utf-8',
    ...headers,
  ]);
}

/** @param location absolute path, encoded */
export function redirectResponse(status: 301 | 308, location: string, method: string): OriginResponse {
  const shown = location.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  const html =
    `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Redirecting to ${shown}</title></head>\n` +
    `<body><pre>Redirecting to <a href="${shown}">${shown}</a></pre></body></html>\n`;
  return shortResponse(status, method, html, [
    'Content-Type',
    'text/html; charset=utf-8',
    'Location',
    location,
    'Content-Security-Policy',
    "default-src 'none'",
  ]);
}

function shortResponse(
  status: number,
  method: string,
  text: string,
  headers: readonly string[],
): OriginResponse {
  const body = Buffer.from(text);
  return {
    status,
    headers: [
      ...headers,
      'Content-Length',
      String(body.length),
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
    ],
    body: method === 'HEAD' ? undefined : body,
  };
}
