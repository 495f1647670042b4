import { Agent, request } from 'node:http';

import type { Arrival } from './arrivals.ts';
import { makeMemory, makeQuestion, makeText, type Target } from './target.ts';

const TIMEOUT_MS = 30_000;
const JSON_TYPE = 'application/json';

/** `null`: answered with a 2xx; else what went wrong, in a word. */
export type Outcome = string | null;

/** Speaks to one platform over connections that stay open. */
export class RequestSender {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  private readonly target: Target;
  private uploads = 0;

  constructor(target: Target) {
    this.target = target;
  }

  /** Resolves when the answer was read to its end. Never rejects. */
  send({ action, choice }: Pick<Arrival, 'action' | 'choice'>): Promise<Outcome> {
    const { workspaceId, fileIds } = this.target;
    const files = `/workspaces/${workspaceId}/files`;
    if (action === 'upload') {
      const number = this.uploads++;
      return this.ask('PUT', `${files}/load/${number}.txt`, makeText(Math.floor(choice * 1e9)));
    }
    if (action === 'add') {
      const content = makeMemory(choice);
      return this.ask('POST', '/memories/add', JSON.stringify({ workspaceId, content }), JSON_TYPE);
    }
    if (action === 'query') {
      const query = makeQuestion(choice);
      return this.ask('POST', '/memories/query', JSON.stringify({ workspaceId, query }), JSON_TYPE);
    }
    if (action === 'retrieve') {
      const text = makeQuestion(choice);
      return this.ask('POST', '/retrieval/query', JSON.stringify({ workspaceId, text }), JSON_TYPE);
    }
    if (action === 'bootstrap') return this.ask('GET', `/memories/bootstrap?workspaceId=${workspaceId}`);
    if (action === 'search') {
      const question = encodeURIComponent(makeQuestion(choice));
      return this.ask('GET', `/workspaces/${workspaceId}/search?q=${question}`);
    }
    return this.ask('GET', `${files}/${fileIds[Math.floor(choice * fileIds.length)] ?? ''}/content`);
  }

  close(): void {
    this.agent.destroy();
  }

  private ask(method: string, path: string, body?: string, type = 'text/plain'): Promise<Outcome> {
    const { url, apiKey } = this.target;
    return new Promise((resolve) => {
      const headers = {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      };
      const options = { method, agent: this.agent, headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
      const sent = request(`${url}/api/v1${path}`, options, (answer) => {
        const status = answer.statusCode ?? 0;
        answer.on('error', (error) => resolve(describe(error)));
        answer.on('end', () => resolve(status >= 200 && status < 300 ? null : `HTTP ${status}`));
        answer.resume();
      });
      sent.on('error', (error) => resolve(describe(error)));
      sent.end(body);
    });
  }
}

function describe(error: Error): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'timeout';
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
