/** FNV-1a over UTF-16 code units (http://www.isthe.com/chongo/tech/comp/fnv/), folded so that the low bits are good; 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) >>> 0;
}
