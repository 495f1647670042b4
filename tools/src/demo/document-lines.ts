import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type pg from 'pg';

import type { Selection } from './import-folder.ts';

/** Of the demo alone; it goes when the demo ends. */
export const DEMO_SCHEMA = 'peregrine_demo';
export const LINES = `${DEMO_SCHEMA}.document_lines`;

const MAX_LINES = 250_000;
const LINES_A_STATEMENT = 5_000;
const LINK = /https?:\/\/([a-z0-9.-]+)/i;

interface Line {
  readonly path: string;
  readonly line: number;
  readonly host: string | null;
  readonly text: string;
}

export interface LoadedLines {
  readonly lines: number;
  /** Documents and hosts that occur, as parameters for questions. */
  readonly paths: readonly string[];
  readonly hosts: readonly string[];
}

/**
 * The lines of the imported documents, one row each, in a table with nothing but a primary key: what somebody has forgotten an
 * index on. The platform's own tables miss none.
 */
export async function loadDocumentLines(
  client: pg.Client,
  { folder, paths }: Selection,
): Promise<LoadedLines> {
  await client.query(`DROP SCHEMA IF EXISTS ${DEMO_SCHEMA} CASCADE`);
  await client.query(`CREATE SCHEMA ${DEMO_SCHEMA}`);
  await client.query(`CREATE TABLE ${LINES} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, path text NOT NULL, line int NOT NULL, host text, text text NOT NULL)`);
  const loaded = new Set<string>();
  const hosts = new Map<string, number>();
  let count = 0;
  const batch: Line[] = [];
  for (const path of paths) {
    const lines = linesOf(path, await readFile(join(folder, path), 'utf8'));
    loaded.add(path);
    for (const { host } of lines) if (host !== null) hosts.set(host, (hosts.get(host) ?? 0) + 1);
    batch.push(...lines);
    count += lines.length;
    if (batch.length >= LINES_A_STATEMENT) await insert(client, batch.splice(0));
    if (count >= MAX_LINES) break;
  }
  if (batch.length > 0) await insert(client, batch);
  await client.query(`VACUUM ANALYZE ${LINES}`);
  const linked = [...hosts].sort(([, a], [, b]) => b - a).map(([host]) => host);
  return { lines: count, paths: [...loaded], hosts: linked };
}

function linesOf(path: string, content: string): Line[] {
  return content.split('\n').map((text, index) => ({
    path,
    line: index + 1,
    host: LINK.exec(text)?.[1]?.toLowerCase() ?? null,
    // PostgreSQL has no such character.
    text: text.replaceAll('\0', ''),
  }));
}

async function insert(client: pg.Client, lines: readonly Line[]): Promise<void> {
  await client.query(
    `INSERT INTO ${LINES} (path, line, host, text)
     SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[])`,
    [
      lines.map((it) => it.path),
      lines.map((it) => it.line),
      lines.map((it) => it.host),
      lines.map((it) => it.text),
    ],
  );
}
