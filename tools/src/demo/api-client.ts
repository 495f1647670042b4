import { UnexpectedAnswerError } from '../tools.errors.ts';

/** The HTTP API with one key. */
export class ApiClient {
  private readonly url: string;
  private readonly key: string;

  /** @param url of the api, without a path */
  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  /** @throws {UnexpectedAnswerError} unless the answer is a 2xx */
  async request(
    method: string,
    path: string,
    init: { json?: unknown; body?: Buffer } = {},
  ): Promise<Response> {
    const { json, body } = init;
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    if (!response.ok) {
      throw new UnexpectedAnswerError(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response;
  }

  async json<T>(method: string, path: string, init: { json?: unknown } = {}): Promise<T> {
    return (await (await this.request(method, path, init)).json()) as T;
  }

  /** Reads an answer to its end. @returns the time it took, in milliseconds */
  async time(path: string): Promise<number> {
    const startedAt = performance.now();
    await (await this.request('GET', path)).arrayBuffer();
    return performance.now() - startedAt;
  }
}
