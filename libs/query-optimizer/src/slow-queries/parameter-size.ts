/** Of a reference or a number. */
const WORD_BYTES = 8;

/** Roughly, and no further than `limit`: enough to decide whether parameters are worth their memory. */
export function parameterBytes(parameters: readonly unknown[], limit: number): number {
  let sum = 0;
  for (const it of parameters) {
    sum += bytesOf(it, limit - sum);
    if (sum > limit) break;
  }
  return sum;
}

function bytesOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return WORD_BYTES + value.length * 2;
  if (ArrayBuffer.isView(value)) return WORD_BYTES + value.byteLength;
  if (Array.isArray(value)) return WORD_BYTES + parameterBytes(value, limit);
  if (typeof value === 'object' && value !== null)
    return parameterBytes(Object.values(value), limit) + WORD_BYTES;
  return WORD_BYTES;
}
