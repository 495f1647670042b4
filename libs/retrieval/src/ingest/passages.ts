import { type Block } from './blocks.js';
import { firstBreak, lastBreak } from './breaks.js';

/** Raised with every change of how passages are made: files are ingested anew then. */
export const CHUNKING = 1;

/** Characters (UTF-16 units) of a passage, without what it repeats; about 300 words' parts, what embedding models are made for. */
export const PASSAGE_CHARACTERS = 1_400;
/** Characters of the passage before that the next one of a section repeats, at most. */
export const OVERLAP_CHARACTERS = 200;
/** A section of fewer characters goes on with the next one. */
const SMALL_SECTION_CHARACTERS = 300;
const TITLE_CHARACTERS = 80;

/** A part of a text. Together they have all of it, in its order. */
export interface Passage {
  /** The headings that it stands under and does not have itself, the outermost first. */
  readonly headings: readonly string[];
  /** Where it begins and ends in the text, UTF-16 units. It begins before the end of the one before only by what it repeats. */
  readonly start: number;
  readonly end: number;
}

/** A passage before anything is repeated. */
interface Part extends Passage {
  readonly beginsWithHeading: boolean;
  /** So far. */
  readonly isHeadingsOnly: boolean;
}

/**
 * Parts a text at its headings, else between its blocks, so that no part has more than {@link PASSAGE_CHARACTERS} beside what it repeats, or its heading. A block that is
 * larger by itself is parted at a line, a sentence or a word. What does not begin with a heading repeats the end of what stands before it.
 *
 * A part depends on its own section alone: an edit changes the passages up to the next heading, at most.
 */
export function partText(text: string, blocks: readonly Block[]): Passage[] {
  const parts = packBlocks(blocks.flatMap((it) => splitBlock(text, it)));
  return parts.map(({ headings, start, end, beginsWithHeading }, at) => {
    const before = parts[at - 1];
    if (!before || beginsWithHeading) return { headings, start, end };
    const earliest = Math.max(before.start, start - OVERLAP_CHARACTERS);
    return { headings, start: firstBreak(text, earliest, start), end };
  });
}

/** As it is shown, embedded and searched: below the headings that say what it is about. */
export function passageText(text: string, { headings, start, end }: Passage): string {
  const body = text.slice(start, end).replaceAll('\r\n', '\n').trim();
  return headings.length === 0 ? body : `${headings.join(' > ')}\n\n${body}`;
}

function splitBlock(text: string, block: Block): Block[] {
  const pieces: Block[] = [];
  let { start } = block;
  while (block.end - start > PASSAGE_CHARACTERS) {
    const end = lastBreak(text, start + PASSAGE_CHARACTERS / 2, start + PASSAGE_CHARACTERS);
    pieces.push({ ...block, start, end });
    start = end;
  }
  return [...pieces, { ...block, start }];
}

function packBlocks(blocks: readonly Block[]): Part[] {
  const parts: Part[] = [];
  const path: Block[] = [];
  for (const block of blocks) {
    const open = parts.at(-1);
    if (block.kind === 'heading') {
      while ((path.at(-1)?.level ?? 0) >= block.level) path.pop();
    }
    if (open && fits(open, block)) {
      const isHeadingsOnly = open.isHeadingsOnly && block.kind === 'heading';
      parts[parts.length - 1] = { ...open, end: block.end, isHeadingsOnly };
    } else {
      const { start, end } = block;
      const titles = path.map((it) => it.title.slice(0, TITLE_CHARACTERS).toWellFormed());
      const isHeading = block.kind === 'heading';
      const headings = titles.filter(Boolean);
      parts.push({ headings, start, end, beginsWithHeading: isHeading, isHeadingsOnly: isHeading });
    }
    if (block.kind === 'heading') path.push(block);
  }
  return parts;
}

/** A heading stays with what it is about: it may take the room of what other passages repeat. */
function fits(open: Part, { kind, end }: Block): boolean {
  if (kind === 'heading' && open.end - open.start >= SMALL_SECTION_CHARACTERS) return false;
  return end - open.start <= PASSAGE_CHARACTERS + (open.isHeadingsOnly ? OVERLAP_CHARACTERS : 0);
}
