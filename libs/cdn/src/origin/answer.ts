import { randomBytes } from 'node:crypto';
import { type ByteRange, contentRangeOf, parseByteRanges } from '../http/byte-ranges.js';
import { evaluateConditions, headerOf, rangeApplies } from '../http/conditions.js';
import { FileBody, type Segment } from './file-body.js';
import { openFile } from './file-reading.js';
import { failureResponse, type OriginRequest, type OriginResponse } from './origin-response.js';
import type { Representation, Resource } from './representation.js';

interface AnswerOptions {
  readonly acceptRanges: boolean;
  readonly maxRanges: number;
  readonly chunkBytes: number;
}

/** The file is another one than the representation was made of. */
export const CHANGED = Symbol('changed');

/** Answers GET or HEAD with a representation: conditions first, then ranges (RFC 9110, section 13.2.2). */
export function answer(
  request: OriginRequest,
  resource: Resource,
  representation: Representation,
  options: AnswerOptions,
): OriginResponse | Promise<OriginResponse | typeof CHANGED> {
  const { headers, method } = request;
  const { etag } = representation;
  // The everyday question of a browser that has it, before the general case.
  if (etag !== undefined && headers['if-none-match'] === etag && headers['if-match'] === undefined) {
    if (headers['if-unmodified-since'] === undefined) return notModified(resource, representation);
  }
  if (isConditional(request)) {
    const verdict = evaluateConditions(headers, { etag, lastModifiedMs: resource.lastModifiedMs });
    if (verdict === 'not-modified') return notModified(resource, representation);
    if (verdict === 'failed') return failureResponse(412, { method, headers: varyOf(resource) });
  }
  if (headers['range'] !== undefined && method === 'GET' && options.acceptRanges) {
    const ranges = rangesOf(request, resource, representation, options.maxRanges);
    if (ranges === 'unsatisfiable') {
      const contentRange = ['Content-Range', `bytes */${representation.sizeBytes}`];
      return failureResponse(416, { method, headers: [...contentRange, ...varyOf(resource)] });
    }
    if (ranges) return partial(resource, representation, ranges, options);
  }
  const body = method === 'HEAD' ? undefined : representation.bytes;
  if (representation.file === undefined || method === 'HEAD') {
    const { fullHeaders, fullBlock } = representation;
    return { status: 200, headers: fullHeaders, block: fullBlock, body, file: resource.file };
  }
  const everything = { start: 0, end: representation.sizeBytes - 1 };
  return fromFile(resource, representation, 200, representation.fullHeaders, [everything], options);
}

/** What a failure varies by. */
export function varyOf({ isNegotiable }: Pick<Resource, 'isNegotiable'>): readonly string[] {
  return isNegotiable ? ['Vary', 'Accept-Encoding'] : [];
}

function notModified(
  { file }: Resource,
  { notModifiedHeaders: headers, notModifiedBlock: block }: Representation,
): OriginResponse {
  return { status: 304, headers, block, body: undefined, file };
}

function isConditional({ headers }: OriginRequest): boolean {
  return (
    headers['if-none-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-match'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  );
}

function rangesOf(
  { headers }: OriginRequest,
  { lastModifiedMs }: Resource,
  { etag, sizeBytes }: Representation,
  maxRanges: number,
): readonly ByteRange[] | 'unsatisfiable' | undefined {
  const range = headerOf(headers, 'range');
  if (range === undefined || !rangeApplies(headers, { etag, lastModifiedMs })) return undefined;
  return parseByteRanges(range, sizeBytes, maxRanges);
}

function partial(
  resource: Resource,
  representation: Representation,
  ranges: readonly ByteRange[],
  options: AnswerOptions,
): OriginResponse | Promise<OriginResponse | typeof CHANGED> {
  const { mediaType } = resource;
  const { sizeBytes, partialHeaders } = representation;
  const [first, ...others] = ranges as [ByteRange, ...ByteRange[]];
  if (others.length === 0) {
    const headers = [
      ...['Content-Type', mediaType, 'Content-Length', String(first.end - first.start + 1)],
      ...['Content-Range', contentRangeOf(first, sizeBytes), ...partialHeaders],
    ];
    return fromAnywhere(resource, representation, headers, [first], options);
  }
  const boundary = randomBytes(15).toString('base64url');
  const segments = ranges.flatMap((range, i): Segment[] => {
    const start = `${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${mediaType}\r\n`;
    return [Buffer.from(`${start}Content-Range: ${contentRangeOf(range, sizeBytes)}\r\n\r\n`), range];
  });
  segments.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  const lengthBytes = segments.reduce(
    (sum, it) => sum + (Buffer.isBuffer(it) ? it.length : it.end - it.start + 1),
    0,
  );
  const headers = [
    ...['Content-Type', `multipart/byteranges; boundary=${boundary}`],
    ...['Content-Length', String(lengthBytes), ...partialHeaders],
  ];
  return fromAnywhere(resource, representation, headers, segments, options);
}

function fromAnywhere(
  resource: Resource,
  representation: Representation,
  headers: string[],
  segments: readonly Segment[],
  options: AnswerOptions,
): OriginResponse | Promise<OriginResponse | typeof CHANGED> {
  const { bytes } = representation;
  if (bytes === undefined) return fromFile(resource, representation, 206, headers, segments, options);
  const parts = segments.map((it) => (Buffer.isBuffer(it) ? it : bytes.subarray(it.start, it.end + 1)));
  return {
    status: 206,
    headers,
    body: parts.length === 1 ? parts[0] : Buffer.concat(parts),
    file: resource.file,
  };
}

async function fromFile(
  { file: about }: Resource,
  representation: Representation,
  status: number,
  headers: string[],
  segments: readonly Segment[],
  { chunkBytes }: AnswerOptions,
): Promise<OriginResponse | typeof CHANGED> {
  const expected = representation.file;
  if (expected === undefined) return CHANGED;
  const { handle, file } = await openFile(expected);
  if (file.fingerprint !== expected.fingerprint) {
    await handle.close();
    return CHANGED;
  }
  const body = new FileBody(handle, expected.path, segments, chunkBytes);
  return { status, headers, body, file: about };
}
