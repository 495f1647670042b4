/** Bytes [start, end], both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A longer list is only ever an attack, or a mistake. */
const MOST_RANGES_PARSED = 1_000;
const RANGE_SET = /^bytes[ \t]*=(.*)$/i;
const ONE_RANGE = /^(\d*)[ \t]*-[ \t]*(\d*)$/;

/**
 * What a Range header asks for (RFC 9110, section 14.1.2): at most `maxRanges` ranges in the order of the request, those
 * that overlap or touch made one. Undefined when the header is to be ignored and everything sent: it is malformed,
 * names another unit or a last byte before its first, or asks for too many ranges or more bytes than there are.
 */
export function parseByteRanges(
  header: string,
  sizeBytes: number,
  maxRanges: number,
): readonly ByteRange[] | 'unsatisfiable' | undefined {
  const [, set] = RANGE_SET.exec(header) ?? [];
  if (set === undefined) return undefined;
  const specs = set.split(',', MOST_RANGES_PARSED + 1);
  if (specs.length > MOST_RANGES_PARSED) return undefined;
  const ranges: ByteRange[] = [];
  let isEmpty = true;
  for (const spec of specs) {
    const text = spec.trim();
    // Lists may have empty elements.
    if (text === '') continue;
    isEmpty = false;
    const range = parseOne(text, sizeBytes);
    if (range === undefined) return undefined;
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (isEmpty) return undefined;
  if (ranges.length === 0) return 'unsatisfiable';
  const merged = mergeRanges(ranges);
  return merged.length > maxRanges ? undefined : merged;
}

/** Content-Range of a part. */
export function contentRangeOf({ start, end }: ByteRange, sizeBytes: number): string {
  return `bytes ${start}-${end}/${sizeBytes}`;
}

function parseOne(spec: string, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = ONE_RANGE.exec(spec) ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const suffixBytes = Number(last);
    if (suffixBytes === 0 || sizeBytes === 0) return 'unsatisfiable';
    return { start: Math.max(0, sizeBytes - suffixBytes), end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && isBelow(last, first)) return undefined;
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: Math.min(last === '' ? Infinity : Number(last), sizeBytes - 1) };
}

/** Compares digits of any length, which numbers can not. */
function isBelow(a: string, b: string): boolean {
  return BigInt(a) < BigInt(b);
}

/** Ranges that overlap or touch become one, at the place of the first of them. */
function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const byStart = ranges.map((range, place) => ({ ...range, place })).sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number; place: number }[] = [];
  for (const range of byStart) {
    const last = merged.at(-1);
    if (last === undefined || range.start > last.end + 1) {
      merged.push({ ...range });
    } else {
      last.end = Math.max(last.end, range.end);
      last.place = Math.min(last.place, range.place);
    }
  }
  return merged.sort((a, b) => a.place - b.place).map(({ start, end }) => ({ start, end }));
}
