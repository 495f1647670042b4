import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What to answer; `silence`: nothing at all; `cut`: half an answer; `hang up`: the connection ends. */
export type Answer =
  | 'silence'
  | 'cut'
  | 'hang up'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

/** A provider's API on this machine that answers what a test wants and remembers what it was asked. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = [];
  /** Decides by the request; the default is the provider's own success. */
  answer: (request: SeenRequest) => Answer;
  readonly #server: Server;

  private constructor(answer: (request: SeenRequest) => Answer) {
    this.answer = answer;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
        this.seen.push(seen);
        const answer = this.answer(seen);
        if (answer === 'silence') return;
        if (answer === 'hang up') return void response.destroy();
        if (answer === 'cut') {
          response.writeHead(200, { 'content-length': '1000' });
          response.write('{', () => response.destroy());
          return;
        }
        response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
      });
    });
  }

  static async start(answer: (request: SeenRequest) => Answer): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(answer);
    scripted.#server.listen(0, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
