import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

/** One request that has arrived. */
export interface ReceivedRequest {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly authorization: string | undefined;
}

/** How the next request is answered instead of as it should be. */
export interface Fault {
  /** An error in the protocol's form. */
  readonly status?: number;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is cut after so many chunks. */
  readonly cutAfter?: number;
  /** Silence after so many chunks. */
  readonly silentAfter?: number;
  readonly withoutDone?: boolean;
  /** An error event after so many chunks. */
  readonly errorAfter?: number;
  readonly finishReason?: string | null;
  /** What is said of the tokens; null says nothing. */
  readonly usage?: unknown;
  /** One piece of JSON, though a stream was asked for. */
  readonly inOnePiece?: boolean;
  /** Deltas instead of words. */
  readonly deltas?: readonly Record<string, unknown>[];
  readonly dimensions?: number;
  readonly format?: 'float' | 'base64' | 'nan';
  /** The embeddings, in this order of their places. */
  readonly order?: 'reversed' | 'doubled';
}

const DIMENSIONS = 8;

/** The embedding of a text by this server: anything that depends on the text alone. */
export function vectorOf(text: string, dimensions = DIMENSIONS): number[] {
  const hash = createHash('sha256').update(text).digest();
  return Array.from({ length: dimensions }, (_, it) => Math.fround(((hash[it % 32] ?? 0) - 128) / 128));
}

/**
 * A real HTTP server that speaks the public protocol of chat completions and embeddings, counts what it is asked for, and fails as it
 * is told. A reply is `words` chunks; `hold` keeps replies back after their first chunk until `release`.
 */
export class ProviderServer {
  readonly requests: ReceivedRequest[] = [];
  /** Words of a reply. */
  words = 6;
  /** Before an answer begins, milliseconds. */
  latencyMs = 0;
  /** The embedding of a text; another one shows what a model does that finds texts nearer than they are. */
  embedding: (text: string, dimensions?: number) => number[] = vectorOf;
  readonly #faults: Fault[] = [];
  #held: PromiseWithResolvers<void> | undefined;
  #replies = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ProviderServer> {
    // Longer than any pause of a test: a connection that closes while it is taken looks like a fault.
    const server = createServer({ keepAliveTimeout: 600_000 });
    const provider = new ProviderServer(server);
    server.on('request', (request, response) => {
      provider.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Paths of what has arrived. */
  get calls(): string[] {
    return this.requests.map((it) => it.path);
  }

  /** The next requests fail so, in this order. */
  fail(...faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  hold(): void {
    this.#held = Promise.withResolvers();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  reset(): void {
    this.release();
    this.requests.length = 0;
    this.#faults.length = 0;
    this.words = 6;
    this.embedding = vectorOf;
  }

  async stop(): Promise<void> {
    this.release();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const path = request.url ?? '';
    const fault = this.#faults.shift() ?? {};
    this.requests.push({ path, body, authorization: request.headers.authorization });
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    if (fault.status) return refuse(response, fault);
    if (path === '/v1/embeddings') return embed(response, body, { ...fault, embedding: this.embedding });
    return this.#chat(response, body, fault);
  }

  async #chat(response: ServerResponse, body: Record<string, unknown>, fault: Fault): Promise<void> {
    const reply = ++this.#replies;
    const head = { id: `chatcmpl-${reply}`, created: 1_700_000_000, model: body['model'] };
    const words = Array.from({ length: this.words }, (_, it) => ({ content: `word-${reply}-${it} ` }));
    const deltas = [{ role: 'assistant', content: '' }, ...(fault.deltas ?? words)];
    const usage =
      fault.usage === undefined ? usageOf(JSON.stringify(body['messages']), deltas.length) : fault.usage;
    const finish = fault.finishReason === undefined ? 'stop' : fault.finishReason;
    if (fault.inOnePiece || body['stream'] !== true) {
      const content = words.map((it) => it.content).join('');
      const message = { role: 'assistant', content };
      const choices = [{ index: 0, message, finish_reason: finish, logprobs: null }];
      return void json(response, 200, { ...head, object: 'chat.completion', choices, usage });
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    const send = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`);
    const chunk = (delta: unknown, finish_reason: string | null) => ({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason, logprobs: null }],
      usage: null,
      obfuscation: 'xxxxxxxx',
    });
    for (const [index, delta] of deltas.entries()) {
      if (index === fault.cutAfter) return void response.socket?.end();
      if (index === fault.silentAfter) return;
      if (index === fault.errorAfter)
        return void response.end(`data: ${JSON.stringify({ error: { message: 'overloaded' } })}\n\n`);
      send(chunk(delta, null));
      if (index === 0) await this.#held?.promise;
    }
    if (finish !== null) send(chunk({}, finish));
    const { include_usage } = (body['stream_options'] ?? {}) as { include_usage?: boolean };
    if (usage !== null && include_usage)
      send({ ...head, object: 'chat.completion.chunk', choices: [], usage });
    if (!fault.withoutDone) response.write('data: [DONE]\n\n');
    response.end();
  }
}

function embed(
  response: ServerResponse,
  body: Record<string, unknown>,
  fault: Fault & Pick<ProviderServer, 'embedding'>,
): void {
  const inputs = [body['input']].flat() as string[];
  const format = fault.format ?? (body['encoding_format'] === 'base64' ? 'base64' : 'float');
  let data = inputs.map((text, index) => ({
    object: 'embedding',
    index,
    embedding: encoded(fault.embedding(text, fault.dimensions), format),
  }));
  if (fault.order === 'reversed') data = data.toReversed();
  if (fault.order === 'doubled') data = data.map((it) => ({ ...it, index: 0 }));
  const tokens = inputs.reduce((sum, it) => sum + Math.ceil(it.length / 4), 0);
  const usage = fault.usage === undefined ? { prompt_tokens: tokens, total_tokens: tokens } : fault.usage;
  json(response, 200, { object: 'list', data, model: body['model'], usage });
}

function encoded(vector: number[], format: NonNullable<Fault['format']>): unknown {
  if (format === 'float') return vector;
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, it] of vector.entries())
    bytes.writeFloatLE(format === 'nan' ? Number.NaN : it, index * 4);
  return bytes.toString('base64');
}

function refuse(
  response: ServerResponse,
  { status = 500, code = null, headers = {} }: Omit<Fault, 'code'> & { code?: string | null },
): void {
  const error = { message: `refused with ${status}`, type: 'test', param: null, code };
  json(response, status, { error }, headers);
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function usageOf(prompt: string, completion: number) {
  const prompt_tokens = Math.ceil(prompt.length / 4);
  return {
    prompt_tokens,
    completion_tokens: completion,
    total_tokens: prompt_tokens + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}
