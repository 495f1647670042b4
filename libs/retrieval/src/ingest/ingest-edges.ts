import { type EntityManager } from 'typeorm';
import { type Edge } from '../graph/edge-store.service.js';

/** What the edges of the ingest are called; others are left alone. */
export const INGEST_EDGES = ['link', 'entity', 'neighbour'] as const;

/** Somebody has said that the one document matters to the other. */
const LINK_WEIGHT = 0.8;
/** The next passage of a file mostly goes on with the same. */
const NEIGHBOUR_WEIGHT = 0.5;
/** What more documents name than so many tells none of them apart. */
const MAX_NAMING_DOCUMENTS = 6;
/** Documents of the same name that one link leads to. */
const MAX_TARGETS = 3;
/** Links that lead to one document, of each of its names. */
const MAX_INCOMING_LINKS = 5_000;

/** The edges that the chunks of documents are to have, as the tables of links and entities say. Three statements. */
export async function edgesOf(
  manager: EntityManager,
  workspaceId: string,
  documentIds: readonly string[],
): Promise<Edge[]> {
  const parameters = [workspaceId, documentIds];
  const edges: Edge[] = [];
  for (const sql of [NEIGHBOURS, LINKS, ENTITIES])
    edges.push(...(await manager.query<Edge[]>(sql, parameters)));
  return edges;
}

/** A chain, so that a large file is no clique. */
const NEIGHBOURS = `
SELECT a.id AS "from", b.id AS "to", 'neighbour' AS type, ${NEIGHBOUR_WEIGHT}::float8 AS weight
  FROM retrieval_chunks a JOIN retrieval_chunks b ON b.document_id = a.document_id AND b.place = a.place + 1
 WHERE a.workspace_id = $1 AND a.document_id = ANY ($2::uuid[])`;

/** From a passage to the first one of the document that it links to; both the links of the documents and those to them. */
const LINKS = `
WITH outgoing AS (
  SELECT l.chunk_id, k.document_id AS own, d.document_id
    FROM retrieval_chunks k JOIN retrieval_links l ON l.chunk_id = k.id
   CROSS JOIN LATERAL (SELECT document_id FROM retrieval_documents
                        WHERE workspace_id = $1 AND names @> ARRAY[l.target] LIMIT ${MAX_TARGETS}) d
   WHERE k.workspace_id = $1 AND k.document_id = ANY ($2::uuid[])
), incoming AS (
  SELECT l.chunk_id, k.document_id AS own, d.document_id
    FROM retrieval_documents d CROSS JOIN LATERAL unnest(d.names) AS n (name)
   CROSS JOIN LATERAL (SELECT chunk_id FROM retrieval_links
                        WHERE workspace_id = $1 AND target = n.name LIMIT ${MAX_INCOMING_LINKS}) l
    JOIN retrieval_chunks k ON k.id = l.chunk_id
   WHERE d.workspace_id = $1 AND d.document_id = ANY ($2::uuid[])
)
SELECT DISTINCT l.chunk_id AS "from", first.id AS "to", 'link' AS type, ${LINK_WEIGHT}::float8 AS weight
  FROM (SELECT * FROM outgoing UNION ALL SELECT * FROM incoming) l
  JOIN retrieval_chunks first ON first.document_id = l.document_id AND first.place = 0
 WHERE l.own <> l.document_id`;

/**
 * Between passages of different documents that name the same. What n documents name counts 1/n, the chance that it leads from one of them
 * to a certain one; of several things each is another chance.
 */
const ENTITIES = `
WITH named AS (
  SELECT DISTINCT e.entity FROM retrieval_chunks k JOIN retrieval_entities e ON e.chunk_id = k.id
   WHERE k.workspace_id = $1 AND k.document_id = ANY ($2::uuid[])
), holders AS (
  SELECT n.entity, h.chunk_id, k.document_id, count(*) OVER (PARTITION BY n.entity) AS documents
    FROM named n
   CROSS JOIN LATERAL (SELECT chunk_id FROM retrieval_entities
                        WHERE workspace_id = $1 AND entity = n.entity LIMIT ${MAX_NAMING_DOCUMENTS + 1}) h
    JOIN retrieval_chunks k ON k.id = h.chunk_id
)
SELECT a.chunk_id AS "from", b.chunk_id AS "to", 'entity' AS type, 1 - exp(sum(ln(1 - 1 / a.documents::float8))) AS weight
  FROM holders a JOIN holders b ON b.entity = a.entity AND b.document_id <> a.document_id
 WHERE a.documents BETWEEN 2 AND ${MAX_NAMING_DOCUMENTS} AND a.document_id = ANY ($2::uuid[])
   AND (b.document_id <> ALL ($2::uuid[]) OR a.chunk_id < b.chunk_id)
 GROUP BY a.chunk_id, b.chunk_id`;
