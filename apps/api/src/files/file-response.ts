import { type FileContentService, type FileLocation } from '@peregrine/content';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { type ByteRange, parseByteRange } from './byte-range.js';
import { evaluatePreconditions, rangeApplies, type Validators } from './preconditions.js';

/** On everything that comes from a file of a user. */
export const UNTRUSTED_CONTENT = {
  // The same URL has a new content after the next upload, and only some may see it.
  'Cache-Control': 'private, no-cache',
  Vary: 'Authorization, X-API-Key',
  // A page among the files must not run in this origin.
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * Answers GET and HEAD of a file's content: conditional requests and one byte range as in RFC 9110. Several ranges
 * in one request get the whole file, which the RFC allows.
 *
 * @throws {StorageObjectNotFoundError} before anything is sent, when the file was replaced since it was located
 */
export async function sendFile(
  contents: FileContentService,
  location: FileLocation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const validators = { etag: `"${location.sha256}"`, lastModified: location.updatedAt };
  writeHeaders(reply, location, validators);
  const verdict = evaluatePreconditions(request.headers, validators);
  if (verdict === 'not-modified') return void reply.status(304).send();
  if (verdict === 'failed') return void reply.status(412).send();

  const range = rangeOf(request, location.sizeBytes, validators);
  if (range === 'unsatisfiable') {
    return void reply.status(416).header('Content-Range', `bytes */${location.sizeBytes}`).send();
  }
  if (range) {
    void reply.status(206);
    void reply.header('Content-Range', `bytes ${range.start}-${range.end}/${location.sizeBytes}`);
  }
  void reply.header('Content-Length', range ? range.end - range.start + 1 : location.sizeBytes);
  void reply.send(await bodyOf(contents, location, request, range));
}

async function bodyOf(
  contents: FileContentService,
  location: FileLocation,
  request: FastifyRequest,
  range: ByteRange | undefined,
): Promise<Buffer | Readable> {
  if (request.method === 'HEAD') return Readable.from([]);
  return request.timing.measure('content', () => contents.open(location, range));
}

function writeHeaders(reply: FastifyReply, location: FileLocation, { etag, lastModified }: Validators): void {
  void reply.status(200).removeHeader('Content-Range');
  void reply.headers({
    'Content-Type': location.mediaType,
    ETag: etag,
    'Last-Modified': lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
    ...UNTRUSTED_CONTENT,
    'Content-Disposition': `inline; filename*=UTF-8''${encodeName(location.name)}`,
  });
}

/** RFC 8187: what encodeURIComponent leaves but an ext-value may not hold. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function rangeOf(
  request: FastifyRequest,
  sizeBytes: number,
  validators: Validators,
): ByteRange | 'unsatisfiable' | undefined {
  const header = request.headers.range;
  if (header === undefined || !rangeApplies(request.headers, validators)) return undefined;
  return parseByteRange(header, sizeBytes);
}
