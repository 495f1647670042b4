import type { Client, Connection, Submittable } from 'pg';

/** One part of a script as pg_dump writes them. */
type Part = { readonly sql: string } | { readonly copy: string; readonly rows: string };

/** Runs a script of pg_dump: SQL, and `COPY … FROM stdin` with its rows. */
export async function runScript(client: Client, script: string): Promise<void> {
  for (const part of partsOf(script)) {
    if ('copy' in part) await copyInto(client, part.copy, part.rows);
    else if (part.sql.trim() !== '') await client.query(part.sql);
  }
}

function* partsOf(script: string): Generator<Part> {
  const pattern = /^(COPY .* FROM stdin;)\n([\s\S]*?)^\\\.$/gm;
  let position = 0;
  for (const match of script.matchAll(pattern)) {
    yield { sql: script.slice(position, match.index) };
    yield { copy: match[1] ?? '', rows: match[2] ?? '' };
    position = match.index + match[0].length;
  }
  yield { sql: script.slice(position) };
}

/** The messages of the copy protocol, which the driver knows and its types do not. */
type CopyConnection = Connection & {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
};

function copyInto(client: Client, copy: string, rows: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const query = {
      submit: (connection: Connection) => connection.query(copy),
      handleCopyInResponse: (connection: CopyConnection) => {
        connection.sendCopyFromChunk(Buffer.from(rows));
        connection.endCopyFrom();
      },
      handleError: (error: Error) => {
        failure = error;
        reject(error);
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => {
        if (failure === undefined) resolve();
      },
    };
    client.query(query satisfies Submittable);
  });
}
