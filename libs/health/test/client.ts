import { Agent, type ClientRequest, request } from 'node:http';

/** One answer as the client saw it. */
export interface Answer {
  readonly status: number;
  readonly connection: string | undefined;
  readonly body: string;
}

/** A client that was refused a connection: its request never started. */
export class RefusedError extends Error {}

/** Sends one GET. @throws {RefusedError} when nobody listens any more */
export function get(port: number, path: string, agent: Agent, host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request({ host, port, path, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body }),
      );
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ECONNREFUSED' ? new RefusedError() : error),
    );
    sent.end();
  });
}

/** What a client saw from its first request until nobody listened. */
export interface ClientRun {
  readonly answers: Answer[];
  readonly failures: unknown[];
}

/** Sends requests over one kept-alive connection, one after the other, until the listener is gone. */
export async function requestUntilRefused(port: number, path: string, host?: string): Promise<ClientRun> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const run: ClientRun = { answers: [], failures: [] };
  try {
    for (;;) run.answers.push(await get(port, path, agent, host));
  } catch (error) {
    if (!(error instanceof RefusedError)) run.failures.push(error);
  } finally {
    agent.destroy();
  }
  return run;
}
