/**
 * Makes the runbooks of docs/runbooks readable in the console: HTML of Markdown in which no HTML counts, with links that
 * stay within the console. Read when the page is built, so that what is shown fits the version that runs.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';

const INDEX = 'README.md';
/** What a link to another runbook looks like, with a place in it or without. */
const RUNBOOK = /^([a-z-]+)\.md(?:#.*)?$/;

/** @param {string} folder @returns {Promise<string[]>} names of the files, in order */
export async function runbookFiles(folder) {
  const names = await readdir(folder);
  return names.filter((it) => it.endsWith('.md') && it !== INDEX).toSorted();
}

/** @param {string} folder @returns {Promise<{ name: string, title: string, html: string }[]>} */
export async function readRunbooks(folder) {
  const names = await runbookFiles(folder);
  const known = new Set(names.map((it) => it.replace(/\.md$/, '')));
  const markdown = markdownFor(known);
  return Promise.all(
    names.map(async (file) => {
      const [heading = '', ...lines] = (await readFile(join(folder, file), 'utf8')).split('\n');
      const html = markdown.render(lines.join('\n'));
      return { name: file.replace(/\.md$/, ''), title: heading.replace(/^#\s*/, ''), html };
    }),
  );
}

/** @param {ReadonlySet<string>} known */
function markdownFor(known) {
  const markdown = new MarkdownIt({ html: false, linkify: false });
  const { rules } = markdown.renderer;
  // The page has its title and that of the runbook above them.
  const shift = (tokens, index, options, _env, self) => {
    tokens[index].tag = `h${Number(tokens[index].tag.slice(1)) + 1}`;
    return self.renderToken(tokens, index, options);
  };
  rules.heading_open = shift;
  rules.heading_close = shift;
  rules.table_open = () => '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>';
  rules.table_close = () => '</table></div>';
  // Alignment would be an inline style.
  rules.th_open = () => '<th scope="col">';
  rules.td_open = () => '<td>';
  const kept = [];
  rules.link_open = (tokens, index) => {
    const [, name] = RUNBOOK.exec(tokens[index].attrGet('href') ?? '') ?? [];
    kept.push(known.has(name));
    return known.has(name) ? `<a href="#/runbooks/${name}">` : '<em>';
  };
  rules.link_close = () => (kept.pop() ? '</a>' : '</em>');
  return markdown;
}
