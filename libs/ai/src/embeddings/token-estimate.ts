/**
 * How many tokens a text has at most, nearly: three letters a token in ASCII words, one for every other sign, one a byte beyond
 * ASCII. English has about four letters a token, so this is on the safe side of limits and budgets.
 */
export function estimateTokens(text: string): number {
  let letters = 0;
  let others = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) others += unit < 0x800 ? 2 : 3;
    else if ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a) letters++;
    // A space goes with the word behind it.
    else if (unit !== 0x20) others++;
  }
  return Math.ceil(letters / 3) + others;
}
