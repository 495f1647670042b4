const SHARES = 10_000;

/**
 * Decides by the id or the key of `dedupe`, so that repeating a submission repeats the decision.
 *
 * @param asynchronous a percentage, all or none, or the caller's own decision
 * @returns whether a task goes to the store
 */
export function submissionShare(
  asynchronous: boolean | number | ((taskName: string, id: string) => boolean),
): (taskName: string, id: string) => boolean {
  if (typeof asynchronous === 'function') return asynchronous;
  if (typeof asynchronous === 'boolean') return () => asynchronous;
  const limit = (asynchronous / 100) * SHARES;
  return (taskName, id) => fnv1a(`${taskName}/${id}`) % SHARES < limit;
}

/** FNV-1a, 32 bits, over UTF-16 units: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
