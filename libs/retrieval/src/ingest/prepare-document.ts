import { type ChunkedDocument } from '../chunks/match-chunks.js';
import { markdownBlocks, plainBlocks } from './blocks.js';
import { isMarkdownPath, namesOf } from './link-names.js';
import { partText, type Passage, passageText } from './passages.js';
import { entitiesOf, linksOf, type Reference } from './references.js';

/** A file with its text. */
export interface SourceDocument {
  readonly documentId: string;
  readonly workspaceId: string;
  readonly revision: number;
  readonly path: string;
  readonly mediaType: string;
  readonly createdAt: Date;
  readonly body: string;
}

/** What is made of a file before anything is stored. */
export interface PreparedDocument extends ChunkedDocument {
  readonly revision: number;
  /** What links may call it. */
  readonly names: readonly string[];
  /** By place: what the passage with it refers to and names first. */
  readonly links: readonly PlacedName[];
  readonly entities: readonly PlacedName[];
}

export interface PlacedName {
  readonly place: number;
  readonly name: string;
}

/** A passage without a letter or a digit is nothing that could be found. */
const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

/** Pure. Takes time in proportion to the length of the text. */
export function prepareDocument(source: SourceDocument): PreparedDocument {
  const { documentId, revision, path, mediaType, createdAt, body } = source;
  const isMarkdown = mediaType.startsWith('text/markdown') || isMarkdownPath(path);
  const blocks = isMarkdown ? markdownBlocks(body) : plainBlocks(body);
  const passages = partText(body, blocks).filter((it) => SAYS_SOMETHING.test(body.slice(it.start, it.end)));
  return {
    ...{ documentId, revision, createdAt, type: mediaType, names: namesOf(path) },
    texts: passages.map((it) => passageText(body, it)),
    links: placed(isMarkdown ? linksOf(body, blocks, path) : [], passages),
    entities: placed(entitiesOf(body, blocks), passages),
  };
}

/** The references by the first passage that has them; both are in the order of the text. */
function placed(references: readonly Reference[], passages: readonly Passage[]): PlacedName[] {
  let place = 0;
  const names: PlacedName[] = [];
  for (const { name, at } of references) {
    while (place < passages.length && (passages[place]?.end ?? 0) <= at) place++;
    if ((passages[place]?.start ?? Infinity) <= at) names.push({ place, name });
  }
  return names;
}
