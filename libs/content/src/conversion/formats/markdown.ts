import MarkdownIt from 'markdown-it';
import { type Heading, withAnchors } from './headings.js';
import { sanitize } from './sanitize.js';

/** Raw HTML goes through: what of it may stay is decided by `sanitize`, for Markdown and HTML alike. */
const markdown = new MarkdownIt({ html: true, linkify: true });

/** Safe HTML of a Markdown text without its front matter. */
export function markdownToHtml(text: string): { html: string; headings: Heading[] } {
  return withAnchors(sanitize(markdown.render(text)));
}

/** Safe HTML of any HTML: what was its body, as a fragment. */
export function htmlToHtml(text: string): { html: string; headings: Heading[] } {
  return withAnchors(sanitize(text).trim());
}
