import { randomUUID } from 'node:crypto';

/** A file in passages. */
export interface ChunkedDocument {
  /** The file's id. */
  readonly documentId: string;
  /** What it is; queries filter by it. */
  readonly type: string;
  readonly createdAt: Date;
  /** In the order of the file; none of them empty. */
  readonly texts: readonly string[];
}

/** A chunk as it is stored. */
export interface StoredChunk {
  readonly id: string;
  readonly documentId: string;
  readonly place: number;
  readonly text: string;
  /** By the present embedder. */
  readonly isEmbedded: boolean;
}

/** A chunk as it is to be. */
export interface WantedChunk extends StoredChunk {
  readonly type: string;
  readonly createdAt: Date;
  readonly isNew: boolean;
}

export interface MatchedChunks {
  /** By document and place. */
  readonly wanted: readonly WantedChunk[];
  /** Ids of those whose text is not in the document any more. */
  readonly gone: readonly string[];
}

/** A text that the document has already keeps its chunk, wherever it stands now; of equal ones the first takes the first. */
export function matchChunks(
  documents: readonly ChunkedDocument[],
  stored: readonly StoredChunk[],
): MatchedChunks {
  const known = Map.groupBy(stored, (it) => keyOf(it.documentId, it.text));
  const wanted = documents.flatMap(({ documentId, type, createdAt, texts }) =>
    texts.map((text, place) => {
      const kept = known.get(keyOf(documentId, text))?.shift();
      const { id, isEmbedded } = kept ?? { id: randomUUID(), isEmbedded: false };
      return { id, documentId, place, text, type, createdAt, isEmbedded, isNew: !kept };
    }),
  );
  return { wanted, gone: [...known.values()].flat().map((it) => it.id) };
}

function keyOf(documentId: string, text: string): string {
  return `${documentId} ${text}`;
}
