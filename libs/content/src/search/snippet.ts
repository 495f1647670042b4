/**
 * Marks that PostgreSQL puts around a found word. Control characters, because extraction takes those out of
 * every text: they can only come from the highlighter.
 */
export const HIGHLIGHT_START = '\u0002';
export const HIGHLIGHT_STOP = '\u0003';

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  [HIGHLIGHT_START]: '<mark>',
  [HIGHLIGHT_STOP]: '</mark>',
};

/** A highlighted text as HTML that is safe to show: everything escaped, but for `<mark>` around the hits. */
export function snippetHtml(highlighted: string): string {
  return highlighted.replace(
    new RegExp(`[&<>"'${HIGHLIGHT_START}${HIGHLIGHT_STOP}]`, 'g'),
    (character) => ENTITIES[character] ?? '',
  );
}
