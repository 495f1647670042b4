import { HashingModel } from '@peregrine/ai';
import { randomUUID } from 'node:crypto';
import { type Embedder } from '../src/index.js';
import { IngestService } from '../src/ingest/ingest.service.js';
import { RetrievalFixture } from './retrieval-fixture.js';

/** The embedder that needs no model, and what it was asked for. */
export class CountingEmbedder implements Embedder {
  readonly #model = new HashingModel();
  readonly dimensions = this.#model.dimensions;
  /** The texts of each call. */
  readonly calls: (readonly string[])[] = [];
  /** Done before each call. */
  before: (texts: readonly string[]) => Promise<void> | void = () => undefined;

  constructor(public id = 'counting') {}

  async embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
    this.calls.push(texts);
    await this.before(texts);
    return (await this.#model.embed(texts)).vectors;
  }

  /** How many texts were embedded since the last time. */
  take(): number {
    return this.calls.splice(0).flat().length;
  }
}

export interface ShownEdge {
  readonly from: string;
  readonly to: string;
  readonly weight: number;
}

/** The library with files whose text is there, as the content workload leaves them. */
export class IngestFixture {
  private constructor(
    readonly retrieval: RetrievalFixture,
    readonly embedder: CountingEmbedder,
  ) {}

  static async start(): Promise<IngestFixture> {
    const embedder = new CountingEmbedder();
    return new IngestFixture(await RetrievalFixture.start({}, embedder), embedder);
  }

  /** Writes the text of a file, new or the next revision. @returns its id */
  async write(workspaceId: string, path: string, body: string): Promise<string> {
    const [file] = await this.retrieval.query<{ id: string }>(
      `INSERT INTO files AS f (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
       VALUES ($1, $2, $3, $3, 'text/markdown', 1, '', 'extracted')
       ON CONFLICT (workspace_id, path) DO UPDATE SET revision = f.revision + 1 RETURNING id`,
      [randomUUID(), workspaceId, path],
    );
    if (!file) throw new Error('No file was written');
    await this.retrieval.query(
      `INSERT INTO file_documents (file_id, workspace_id, name, path, body) VALUES ($1, $2, $3, $3, $4)
       ON CONFLICT (file_id) DO UPDATE SET body = excluded.body`,
      [file.id, workspaceId, path, body],
    );
    return file.id;
  }

  ingest(...documentIds: string[]): Promise<void> {
    return this.retrieval.get(IngestService).ingest(documentIds);
  }

  /** Writes and ingests. @returns the file's id */
  async add(workspaceId: string, path: string, body: string): Promise<string> {
    const id = await this.write(workspaceId, path, body);
    await this.ingest(id);
    return id;
  }

  chunks(documentId: string): Promise<{ id: string; text: string }[]> {
    return this.retrieval.query(
      'SELECT id, text FROM retrieval_chunks WHERE document_id = $1 ORDER BY place',
      [documentId],
    );
  }

  /** Each once, by `path/place` of its ends. */
  async edges(workspaceId: string, type: string): Promise<ShownEdge[]> {
    return this.retrieval.query<ShownEdge>(
      `WITH ends AS (SELECT k.id, f.path || '/' || k.place AS name FROM retrieval_chunks k JOIN files f ON f.id = k.document_id)
       SELECT a.name AS "from", b.name AS "to", e.weight FROM retrieval_edges e
         JOIN ends a ON a.id = e.source_id JOIN ends b ON b.id = e.target_id
        WHERE e.workspace_id = $1 AND e.type = $2 AND a.name < b.name ORDER BY 1, 2`,
      [workspaceId, type],
    );
  }

  async count(table: string, workspaceId: string): Promise<number> {
    const [row] = await this.retrieval.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM ${table} WHERE workspace_id = $1`,
      [workspaceId],
    );
    return row?.n ?? 0;
  }
}

/** Words that no other paragraph has. */
export function paragraph(name: string, words = 100): string {
  return Array.from({ length: words }, (_, at) => `${name}${at}`).join(' ');
}
