/** Number of buckets that keys fall into: a rollout has steps of 0.01 %. */
export const BUCKET_COUNT = 10_000;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Whether a feature is on for a key. The same flag, key and percentage give the same answer in every process
 * and every version; a higher percentage only adds keys. Allocates nothing.
 *
 * @param percent share of keys for which the feature is on, 0 to 100, in steps of 0.01
 * @param scope part of the feature that the key belongs to: `scope` and `key` fall where `scope:key` does
 */
export function isInRollout(flag: string, key: string, percent: number, scope?: string): boolean {
  // Rounded: 0.07 * 100 is 7.000000000000001, which would let bucket 7 in as well.
  const limit = Math.round((percent * BUCKET_COUNT) / 100);
  // Most flags are on for all, and most calls are on hot paths.
  if (limit >= BUCKET_COUNT) return true;
  return limit > 0 && bucketOf(flag, key, scope) < limit;
}

/**
 * The bucket of a key, 0 to 9,999. Flags share no order: a key that is early in one is not early in all.
 *
 * FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) over the UTF-16 code units of `flag`, NUL, `key`, two
 * bytes each, then the finaliser of MurmurHash3 (fmix32), since FNV alone spreads short keys badly.
 */
export function bucketOf(flag: string, key: string, scope?: string): number {
  const flagged = hashText(hashText(FNV_OFFSET, flag), '\0');
  const scoped = scope === undefined ? flagged : hashText(hashText(flagged, scope), ':');
  return mix(hashText(scoped, key)) % BUCKET_COUNT;
}

function hashText(start: number, value: string): number {
  let hash = start;
  for (let index = 0; index < value.length; index += 1) {
    const unit = value.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME);
    hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return hash;
}

function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
