// Bound once: looked up by name for each character it would cost more than the hash.
const { imul } = Math;

/** 32 well mixed bits of a key: FNV-1a over its code units, with the finalizer of MurmurHash3. O(length). */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = imul(hash ^ key.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3 (https://github.com/aappleby/smhasher): a bijection that spreads every bit. */
export function mix(bits: number): number {
  let hash = imul(bits ^ (bits >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
