import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ProviderServer } from '@peregrine/ai/testing';
import { loadedBy } from './support/loaded-modules.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

describe('AI results', () => {
  let platform: Platform;
  let provider: ProviderServer;
  let key: string;
  let urls: string[];
  let questions = 0;

  beforeAll(async () => {
    provider = await ProviderServer.start();
    platform = await Platform.start({
      env: {
        AI_BASE_URL: provider.url,
        AI_API_KEY: 'secret-of-the-provider',
        AI_CHAT_MODEL: 'gpt-4o-mini',
        AI_EMBEDDING_MODEL: 'text-embedding-3-small',
        AI_EMBEDDING_DIMENSIONS: '8',
        AI_TIMEOUT_MS: '30000',
        // A busy machine must not look like a Redis that is away: then each process calls for itself.
        CACHE_REDIS_TIMEOUT_MS: '10000',
      },
    });
    key = await platform.createKey(['ai:use', 'content:read']);
    const others = [platform.spawn('api'), platform.spawn('api')];
    urls = [platform.url, ...(await Promise.all(others.map((it) => it.listening())))];
  }, 120_000);
  afterEach(() => provider.reset());
  afterAll(async () => {
    await platform?.stop();
    await provider?.stop();
  });

  const post = (path: string, body: unknown, url = platform.url, usedKey = key) =>
    platform.request('POST', `/ai/${path}`, { body, url, key: usedKey });
  const question = (more: object = {}) => ({
    messages: [{ role: 'user', content: `Question ${++questions}` }],
    temperature: 0,
    ...more,
  });

  it.each([true, false])(
    '20 equal calls at once over 3 processes are one call of the provider (stream: %s)',
    async (stream) => {
      provider.hold();
      const body = question({ stream });
      const answers = Array.from({ length: 20 }, (_, it) => post('chat', body, urls[it % 3]));
      await until(() => provider.calls.length > 0);
      provider.release();
      const results = await Promise.all(answers);
      expect(results.map((it) => it.status)).toEqual(Array.from({ length: 20 }, () => 200));
      expect(new Set(results.map((it) => JSON.stringify(it.body))).size).toBe(1);
      expect(JSON.stringify(results[0]?.body)).toContain('word-');
      expect(provider.calls).toHaveLength(1);
    },
    60_000,
  );

  it('streams through, and replays with usage for those who ask', async () => {
    const body = question({ stream: true });
    const live = await post('chat', body);
    expect(live.headers.get('content-type')).toContain('text/event-stream');
    expect(live.headers.get('x-ai-cache')).toBe('miss');
    expect(live.body).toMatch(/^data: \{.*\n\ndata: \[DONE\]\n\n$/s);
    const again = await post('chat', { ...body, stream_options: { include_usage: true } }, urls[1]);
    expect(again.headers.get('x-ai-cache')).toBe('hit');
    expect(again.body).toContain('"usage":{"prompt_tokens"');
    const whole = await post('chat', { ...body, stream: false }, urls[2]);
    expect(whole.body).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'stop' }] });
    expect(provider.calls).toHaveLength(1);
  }, 60_000);

  it('sends the first piece before the provider has gone on', async () => {
    provider.hold();
    const response = await fetch(`${platform.url}/api/v1/ai/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(question({ stream: true })),
    });
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toMatch(/^data: \{/);
    provider.release();
    while (!(await reader?.read())?.done);
  }, 60_000);

  it('ends a stream that breaks with an error event, and a whole one with a problem; neither is kept', async () => {
    const body = question();
    provider.fail({ errorAfter: 3 }, { errorAfter: 3 });
    const streamed = await post('chat', { ...body, stream: true });
    expect(streamed.body).toContain('"code":"AI_STREAM_BROKEN"');
    expect(streamed.body).not.toContain('[DONE]');
    expect(await post('chat', body)).toMatchObject({ status: 502, body: { code: 'AI_STREAM_BROKEN' } });
    expect((await post('chat', body)).status).toBe(200);
  }, 60_000);

  it.each([
    ['a quota that is spent', { status: 429, code: 'insufficient_quota' }, 503, 'AI_QUOTA_EXHAUSTED'],
    ['a wrong key', { status: 401, code: 'invalid_api_key' }, 502, 'AI_PROVIDER_ACCESS'],
    ['a refused request', { status: 400, code: 'bad' }, 400, 'AI_REQUEST_REFUSED'],
    ['a limit for an hour', { status: 429, headers: { 'retry-after': '3600' } }, 503, 'AI_RATE_LIMITED'],
  ])('says of %s what it is, and shows no secret', async (_, fault, status, code) => {
    provider.fail(fault);
    const answer = await post('chat', question());
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect(JSON.stringify(answer.body)).not.toMatch(/secret-of-the-provider|\bat .*\.js/);
  });

  it('embeds in the form of the protocol, and pays each text once', async () => {
    const first = await post('embeddings', { input: ['one', 'two'] });
    expect(first.body).toMatchObject({
      object: 'list',
      data: [{ index: 0 }, { index: 1 }],
      model: 'text-embedding-3-small',
    });
    const { body } = await post(
      'embeddings',
      { input: ['two', 'three'], encoding_format: 'base64' },
      urls[1],
    );
    expect(Buffer.from(body.data[0].embedding, 'base64').readFloatLE(0)).toBeCloseTo(
      first.body.data[1].embedding[0],
      6,
    );
    expect(provider.requests.map((it) => it.body['input'])).toEqual([
      expect.arrayContaining(['one', 'two']),
      ['three'],
    ]);
  });

  it('analyses code, and many codes in the background for the key that asked', async () => {
    const body = { code: 'eval(x);', language: 'js', rules: ['security'] };
    const first = await post('analyses', body);
    expect(first.body).toMatchObject({ source: 'miss', analysis: { findings: [{ rule: 'security/eval' }] } });
    expect((await post('analyses', body, urls[1])).body.source).not.toBe('miss');
    const items = [
      { name: 'good', ...body },
      { name: 'bad', ...body, language: 'klingon' },
    ];
    const submitted = await post('analyses/batch', { items });
    expect(submitted.status).toBe(202);
    const path = `/tasks/${encodeURIComponent(submitted.body.id as string)}`;
    await until(async () => (await platform.request('GET', path, { key })).body.state === 'completed');
    expect((await platform.request('GET', path, { key })).body.result).toMatchObject({
      items: [
        { name: 'good', ok: true, errors: 1 },
        { name: 'bad', ok: false, code: 'AI_UNKNOWN_LANGUAGE' },
      ],
    });
    expect((await platform.request('GET', path)).status).toBe(404);
  }, 60_000);

  it.each([
    ['an empty text to embed', 'embeddings', { input: [''] }, 400, 'is empty'],
    ['no text', 'embeddings', { input: [] }, 400, 'input'],
    ['10,000 texts', 'embeddings', { input: Array.from({ length: 10_000 }, () => 'x') }, 400, 'input'],
    ['an unknown model', 'embeddings', { input: 'x', model: 'unheard-of' }, 400, 'unheard-of'],
    ['another dimension', 'embeddings', { input: 'x', dimensions: 5 }, 400, 'must be 8'],
    [
      'an unknown chat model',
      'chat',
      { messages: [{ role: 'user' }], model: 'unheard-of' },
      400,
      'gpt-4o-mini',
    ],
    ['no messages', 'chat', { messages: [] }, 400, 'messages'],
    ['a temperature of 3', 'chat', { messages: [{ role: 'user' }], temperature: 3 }, 400, 'temperature'],
    ['an empty code', 'analyses', { code: '', language: 'js' }, 400, 'is empty'],
    ['an unknown language', 'analyses', { code: 'x', language: 'klingon' }, 400, 'typescript'],
    ['an unknown rule', 'analyses', { code: 'x', language: 'js', rules: ['nope'] }, 400, 'security/eval'],
    ['an empty batch', 'analyses/batch', { items: [] }, 400, 'items'],
    [
      '10,000 codes',
      'analyses/batch',
      { items: Array.from({ length: 10_000 }, () => ({ name: 'n', code: 'x', language: 'js' })) },
      400,
      '500',
    ],
  ])('refuses %s', async (_, path, body, status, message) => {
    const answer = await post(path, body);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(JSON.stringify(answer.body)).toContain(message);
    expect(provider.calls).toHaveLength(0);
  });

  it('needs the scope, and keeps keys apart', async () => {
    expect((await post('chat', question(), platform.url, platform.apiKey)).status).toBe(403);
    const body = question();
    await post('chat', body);
    const other = await post('chat', body, platform.url, await platform.createKey(['ai:use']));
    expect(other.headers.get('x-ai-cache')).toBe('miss');
  });

  it('reuses the reply to a near question only when told to, and marks it', async () => {
    const daring = await platform.spawn('api', { AI_SEMANTIC_REUSE: '0.97' }).listening();
    provider.embedding = () => [1, 0, 0, 0, 0, 0, 0, 0];
    const asked = (content: string) => ({ messages: [{ role: 'user', content }], temperature: 0 });
    const first = await post('chat', asked('How do I restart the worker?'), daring);
    const near = await post('chat', asked('how do I restart a worker'), daring);
    expect(near.headers.get('x-ai-cache')).toBe('semantic');
    expect(near.headers.get('x-ai-similarity')).toBe('1.0000');
    expect(near.body).toEqual(first.body);
    const negated = await post('chat', asked('how do I not restart a worker'), daring);
    expect(negated.headers.get('x-ai-cache')).toBe('miss');
    const elsewhere = await post('chat', asked('how do I restart a worker'));
    expect(elsewhere.headers.get('x-ai-cache')).toBe('miss');
    expect(elsewhere.headers.get('x-ai-similarity')).toBeNull();
    const { body: statistics } = await platform.request('GET', '/ai/statistics', { url: daring, key });
    expect(statistics.results.semantic).toBe(1);
  }, 60_000);

  it('tells what was saved, and shows it in the metrics', async () => {
    const body = question();
    for (let time = 1; time <= 3; time++) await post('chat', body);
    const { body: statistics } = await platform.request('GET', '/ai/statistics?days=2', { key });
    expect(statistics.callsSaved).toBeGreaterThanOrEqual(2);
    expect(statistics.savedUsd).toBeGreaterThan(0);
    const chat = statistics.models.find((it: { kind: string }) => it.kind === 'chat');
    expect(chat).toMatchObject({ model: 'gpt-4o-mini', savedUsd: expect.any(Number) });
    const metrics = await platform.request('GET', '/metrics', { key: platform.adminKey });
    expect(metrics.body).toMatch(/^ai_results_total\{kind="chat",outcome="hit"\} [2-9]/m);
    expect(metrics.body).toMatch(/^ai_saved_usd_total\{by="hit"\} \d/m);
  });
});

describe('AI results without a provider', () => {
  let platform: Platform;
  let key: string;

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0, redis: false });
    key = await platform.createKey(['ai:use']);
  }, 120_000);
  afterAll(() => platform?.stop());

  it('embed and analyse all the same, and chat says what to set', async () => {
    const embedded = await platform.request('POST', '/ai/embeddings', { body: { input: 'wild geese' }, key });
    expect(embedded.body).toMatchObject({ model: 'local-hashing-384-v1', usage: { prompt_tokens: 0 } });
    expect(embedded.body.data[0].embedding).toHaveLength(384);
    const analysed = await platform.request('POST', '/ai/analyses', {
      body: { code: 'eval(x)', language: 'js' },
      key,
    });
    expect(analysed.body.analysis.errors).toBe(1);
    const chat = await platform.request('POST', '/ai/chat', {
      body: { messages: [{ role: 'user', content: 'Hello' }] },
      key,
    });
    expect(chat).toMatchObject({
      status: 503,
      body: { code: 'AI_NOT_CONFIGURED', detail: expect.stringContaining('AI_BASE_URL and AI_CHAT_MODEL') },
    });
  });

  it('leave ESLint to the thread that needs it', async () => {
    const isEslint = (path: string) => /node_modules.(?:eslint|typescript-eslint|typescript)\W/.test(path);
    expect((await loadedBy('@peregrine/runtime')).filter(isEslint)).toEqual([]);
    expect((await loadedBy('../../libs/ai/dist/analysis/lint-worker.js')).some(isEslint)).toBe(true);
  });
});
