const OBJECT_BYTES = 24;
const SLOT_BYTES = 8;

/**
 * About what a value takes in memory, bytes. Stops when it is more than the limit, so that a large result costs no more
 * to weigh than a small one.
 */
export function sizeOf(value: unknown, limit = Infinity): number {
  let bytes = 0;
  const pending: unknown[] = [value];
  while (pending.length > 0 && bytes <= limit) {
    const it = pending.pop();
    if (typeof it === 'string') bytes += OBJECT_BYTES + it.length;
    else if (ArrayBuffer.isView(it)) bytes += OBJECT_BYTES + it.byteLength;
    else if (Array.isArray(it)) {
      bytes += OBJECT_BYTES + it.length * SLOT_BYTES;
      for (const item of it) pending.push(item);
    } else if (typeof it === 'object' && it !== null) {
      const values = Object.values(it);
      bytes += OBJECT_BYTES + values.length * SLOT_BYTES;
      for (const item of values) pending.push(item);
    } else bytes += SLOT_BYTES;
  }
  return bytes;
}

/** All the way down. Buffers cannot be frozen; nobody should write into a result. */
export function freezeRows<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) {
    return value;
  }
  Object.freeze(value);
  for (const it of Object.values(value)) freezeRows(it);
  return value;
}
