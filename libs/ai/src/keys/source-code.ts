/**
 * Source code without what cannot change the result of an analysis: a byte order mark, the kind of line ends, and line ends at the end.
 * Analyses are made of this form, so that equal keys mean equal inputs.
 */
export function normalisedCode(code: string): string {
  return code
    .replace(/^\uFEFF/, '')
    .replaceAll(/\r\n?/g, '\n')
    .replace(/\n+$/, '');
}
