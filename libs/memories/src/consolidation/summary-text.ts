const SENTENCE_END = /(?<=[.!?])\s+|\n+/u;

/**
 * One text for several that say the same: the fullest of them, and of the others the sentences whose words it does not
 * have. Nothing is rephrased, so that no number and no date can change.
 */
export function summaryText(texts: readonly string[]): string {
  const [fullest = '', ...others] = texts.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const parts = [fullest];
  const known = new Set(wordsOf(fullest));
  for (const sentence of others.flatMap((it) => it.split(SENTENCE_END))) {
    const words = wordsOf(sentence);
    if (words.every((it) => known.has(it))) continue;
    parts.push(sentence.trim());
    for (const it of words) known.add(it);
  }
  return parts.join('\n');
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
