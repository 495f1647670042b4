import { type Block } from './blocks.js';
import { targetOf, titleTarget } from './link-names.js';

/** Something that a text refers to, and where it does so first. */
export interface Reference {
  readonly name: string;
  /** UTF-16 units from the beginning of the text. */
  readonly at: number;
}

/** Of one document; the first ones count. */
export const MAX_LINKS = 500;
export const MAX_ENTITIES = 200;

// Every repetition is bounded: whatever the text is, it is read once.
const LINKS = [
  /\]\(\s{0,8}<?([^()\s<>]{1,1024})/g,
  /^ {0,3}\[[^\]\n]{1,200}\]:[ \t]{0,8}<?([^\s>]{1,1024})/gm,
];
const HTML_LINK = /\bhref=["']([^"'\n]{1,1024})["']/gi;
const TITLE_LINK = /\[\[([^[\]|#\n]{1,300})(?:[|#][^[\]\n]{0,300})?\]\]/g;

const CODE_SPAN = /`([^`\n]{1,200})`/g;
/** A name of two parts or with a capital inside, a sign or a call: a plain word in code says too little. */
const IDENTIFIER = /^@?[\p{L}_$][\p{L}\p{N}_$]*(?:[./:#-]{1,2}[\p{L}\p{N}_$]+){0,8}(?:\(\))?$/u;
const DISTINCTIVE = /[\p{Ll}\p{N}]\p{Lu}|[\p{L}\p{N}][._:#/-]+[\p{L}\p{N}]|_|\(\)$|^@|\p{Lu}{2}/u;
const NAME = /(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{N}]{1,30}(?: \p{Lu}[\p{L}\p{N}]{1,30}){1,3}(?![\p{L}\p{N}])/gu;
/** They begin sentences, not names. */
const SENTENCE_WORDS = new Set(
  'a all an and any as at but by each every for from he her his how i if in it its my no not of on or our see she so that the their then there these they this those to use we what when where which while who why with you your'.split(
    ' ',
  ),
);
const HOST = /\bhttps?:\/\/([a-z0-9][a-z0-9.-]{2,100}[a-z0-9])/gi;
const MAIL = /(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}/gi;
const SHORTEST_ENTITY = 4;
const LONGEST_ENTITY = 100;

/** The documents of the workspace that a text at `path` links to, by the names that links have for them. */
export function linksOf(text: string, blocks: readonly Block[], path: string): Reference[] {
  const found: Reference[] = [];
  for (const { part, start } of proseOf(text, blocks)) {
    for (const pattern of [...LINKS, HTML_LINK]) {
      for (const { match, at } of matches(part, pattern, start)) push(found, targetOf(path, match), at);
    }
    for (const { match, at } of matches(part, TITLE_LINK, start)) push(found, titleTarget(match), at);
  }
  return firstOfEach(found, MAX_LINKS);
}

/**
 * What a text names: identifiers in code spans, names of several capitalised words, addresses of mail and hosts of links. Each
 * with its kind in front, so that they do not meet by chance.
 */
export function entitiesOf(text: string, blocks: readonly Block[]): Reference[] {
  const found: Reference[] = [];
  const add = (kind: string, name: string, at: number) => {
    if (name.length >= SHORTEST_ENTITY && name.length <= LONGEST_ENTITY)
      found.push({ name: `${kind}:${name}`, at });
  };
  for (const { part, start, kind } of proseOf(text, blocks)) {
    for (const { match, at } of matches(part, CODE_SPAN, start)) {
      const name = match.trim();
      if (IDENTIFIER.test(name) && DISTINCTIVE.test(name)) add('code', name, at);
    }
    for (const { match, at } of matches(part, HOST, start)) add('host', match.toLowerCase(), at);
    for (const { match, at } of matches(part, MAIL, start)) add('mail', match.toLowerCase(), at);
    // A title capitalises every word.
    if (kind === 'heading') continue;
    for (const { match, at } of matches(part, NAME, start)) add('name', properName(match), at);
  }
  return firstOfEach(found, MAX_ENTITIES);
}

function properName(words: string): string {
  const name = words.split(' ');
  while (SENTENCE_WORDS.has(name[0]?.toLowerCase() ?? '')) name.shift();
  return name.length < 2 ? '' : name.join(' ').toLowerCase();
}

/** What is not a code block: a link there is an example. */
function proseOf(text: string, blocks: readonly Block[]) {
  return blocks
    .filter((it) => it.kind !== 'code')
    .map(({ start, end, kind }) => ({ start, kind, part: text.slice(start, end) }));
}

/** What the pattern's group has caught, or all of it without one. */
function* matches(part: string, pattern: RegExp, start: number): Generator<{ match: string; at: number }> {
  for (const it of part.matchAll(pattern)) yield { match: it[1] ?? it[0], at: start + it.index };
}

function push(references: Reference[], name: string | undefined, at: number): void {
  if (name !== undefined) references.push({ name, at });
}

function firstOfEach(references: readonly Reference[], limit: number): Reference[] {
  const first = new Map<string, Reference>();
  for (const it of references.toSorted((a, b) => a.at - b.at))
    if (!first.has(it.name)) first.set(it.name, it);
  return [...first.values()].slice(0, limit);
}
