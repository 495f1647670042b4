import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CdnOptionsError } from '../src/cdn.errors.js';
import { createProvider } from '../src/providers/create-provider.js';
import { type ProviderOptionsInput } from '../src/providers/provider.options.js';
import { type PurgeRequest } from '../src/providers/purge-provider.js';
import { type Answer, ScriptedServer, type SeenRequest } from './support/scripted-server.js';

const SECRET = 'a-secret-that-nobody-may-see';

interface Case {
  options: (url: string) => ProviderOptionsInput;
  success: (request: SeenRequest) => Answer;
  /** For a path, a wildcard, a tag and everything, as far as it knows them. */
  sends: readonly string[];
}

const CLOUDFRONT_DONE =
  '<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>I1</Id>' +
  '<Status>InProgress</Status><CreateTime>2026-11-21T20:00:00Z</CreateTime></Invalidation>';

const cases: Record<'cloudflare' | 'fastly' | 'cloudfront' | 'http-purge', Case> = {
  cloudflare: {
    options: (apiUrl) => ({
      type: 'cloudflare',
      zoneId: 'zone/1',
      apiToken: SECRET,
      siteUrls: ['https://a.example', 'https://b.example'],
      apiUrl,
    }),
    success: () => ({ status: 200, body: '{"success":true,"errors":[],"messages":[],"result":{"id":"1"}}' }),
    sends: [
      '{"files":["https://a.example/a?b=c","https://b.example/a?b=c"]}',
      '{"prefixes":["a.example/img","b.example/img"]}',
      '{"tags":["file:1"]}',
      '{"purge_everything":true}',
    ].map((it) => `POST /zones/zone%2F1/purge_cache ${it}`),
  },
  fastly: {
    options: (apiUrl) => ({
      type: 'fastly',
      serviceId: 'S1',
      apiToken: SECRET,
      siteUrls: ['https://a.example'],
      everythingKey: 'all',
      apiUrl,
    }),
    success: ({ url, body }) => {
      if (!/^\/service\/S1\/purge$/.test(url)) return { status: 200, body: '{"status":"ok","id":"1"}' };
      const { surrogate_keys: keys } = JSON.parse(body) as { surrogate_keys: string[] };
      const answer = Object.fromEntries(keys.map((it, index) => [it, `id-${index}`]));
      return { status: 200, body: JSON.stringify(answer) };
    },
    sends: [
      'POST /purge/a.example/a?b=c ',
      'POST /service/S1/purge {"surrogate_keys":["file:1"]}',
      'POST /service/S1/purge_all ',
    ],
  },
  cloudfront: {
    options: (endpoint) => ({
      type: 'cloudfront',
      distributionId: 'D1',
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: SECRET,
      endpoint,
    }),
    success: () => ({ status: 201, body: CLOUDFRONT_DONE, headers: { 'content-type': 'text/xml' } }),
    sends: ['/a?b=c', '/img/*', '#file:1', '/*'].map(
      (it) =>
        'POST /2020-05-31/distribution/D1/invalidation <Paths><Quantity>1</Quantity><Items>' +
        `<Path>${it}</Path></Items></Paths>`,
    ),
  },
  'http-purge': {
    options: (url) => ({ type: 'http-purge', urls: [url], token: SECRET }),
    success: () => ({ status: 200 }),
    sends: ['PURGE /a?b=c ', 'PURGE /img/* ', 'PURGE /* '],
  },
};

const everything: PurgeRequest = { kind: 'everything', values: [], soft: false };

describe.each(Object.entries(cases))('the provider %s', (name, { options, success, sends }) => {
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await ScriptedServer.start(success);
  });
  afterEach(() => server.stop());

  const purge = (request: PurgeRequest = everything, timeoutMs = 10_000) =>
    createProvider(options(server.url)).purge(request, AbortSignal.timeout(timeoutMs));
  const failure = async (answer: Answer): Promise<Error & { code: string; retryAfterMs?: number }> => {
    server.answer = () => answer;
    const error: unknown = await purge().then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    );
    return error as Error & { code: string };
  };

  it('sends every kind that its limits name', async () => {
    const { limits } = createProvider(options(server.url));
    const values = { path: ['/a?b=c'], wildcard: ['/img/*'], tag: ['file:1'], everything: [] };
    for (const kind of ['path', 'wildcard', 'tag', 'everything'] as const) {
      if (limits[kind]) await purge({ kind, values: values[kind], soft: false });
    }
    const seen = server.seen.map(({ method, url, body }) => `${method} ${url} ${partOf(body)}`);
    expect(seen).toEqual(sends);
  });

  it.each([
    ['401', { status: 401, body: '{"success":false}' }, 'CDN_PROVIDER_UNAUTHORIZED'],
    ['403', { status: 403 }, 'CDN_PROVIDER_UNAUTHORIZED'],
    ['500', { status: 500, body: 'oops' }, 'CDN_PROVIDER_UNAVAILABLE'],
    ['503', { status: 503 }, 'CDN_PROVIDER_UNAVAILABLE'],
    ['400', { status: 400, body: '{"errors":[{"message":"bad"}]}' }, 'CDN_PURGE_REJECTED'],
    [
      'a redirect',
      { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
      /^CDN_PROVIDER_(ANSWER|UNAVAILABLE)$/,
    ],
    ['a connection that breaks', 'hang up', 'CDN_PROVIDER_UNAVAILABLE'],
    ['half an answer', 'cut', /^CDN_PROVIDER_(ANSWER|UNAVAILABLE)$/],
  ] as const)('tells %s apart, without its credentials', async (_, answer, code) => {
    const error = await failure(answer);
    expect(error.code).toEqual(typeof code === 'string' ? code : expect.stringMatching(code));
    expect(`${error.message} ${JSON.stringify(error)} ${String(error.stack)}`).not.toContain(SECRET);
  });

  it('hands on the pause that a 429 asks for', async () => {
    const error = await failure({ status: 429, headers: { 'retry-after': '7' } });
    expect(error.code).toBe('CDN_PROVIDER_RATE_LIMITED');
    if (name !== 'cloudfront') expect(error.retryAfterMs).toBe(7_000);
  });

  it('does not take nonsense for success', async () => {
    // The method PURGE has no body that would say more than its status.
    if (name === 'http-purge') return;
    for (const body of ['', 'null', '<html>', '{}', '[]', '{"success":"yes"}']) {
      expect(await failure({ status: 200, body })).toMatchObject({ code: 'CDN_PROVIDER_ANSWER' });
    }
  });

  it('ends with the signal when nothing comes', async () => {
    server.answer = () => 'silence';
    await expect(purge(everything, 100)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('what is special', () => {
  let server: ScriptedServer;
  afterEach(() => server.stop());
  const signal = () => AbortSignal.timeout(10_000);

  it('takes the refusals that Cloudflare hides in a 200', async () => {
    server = await ScriptedServer.start(() => ({
      status: 200,
      body: '{"success":false,"errors":[{"code":1134,"message":"Unable to purge, rate limit reached."}]}',
    }));
    const provider = createProvider(cases.cloudflare.options(server.url));
    await expect(provider.purge(everything, signal())).rejects.toMatchObject({
      code: 'CDN_PROVIDER_RATE_LIMITED',
    });
    server.answer = () => ({ status: 200, body: '{"success":false,"errors":[{"code":1,"message":"no"}]}' });
    await expect(provider.purge(everything, signal())).rejects.toMatchObject({
      code: 'CDN_PURGE_REJECTED',
      message: 'cloudflare: it refuses the purge: no (1)',
    });
  });

  it('purges softly at Fastly by header, and everything by the key that all have', async () => {
    server = await ScriptedServer.start(cases.fastly.success);
    const provider = createProvider(cases.fastly.options(server.url));
    await provider.purge({ kind: 'tag', values: ['a'], soft: true }, signal());
    await provider.purge({ ...everything, soft: true }, signal());
    expect(server.seen.map((it) => [it.headers['fastly-soft-purge'], it.url, it.body])).toEqual([
      ['1', '/service/S1/purge', '{"surrogate_keys":["a"]}'],
      ['1', '/service/S1/purge', '{"surrogate_keys":["all"]}'],
    ]);
  });

  it('waits when too many invalidations of CloudFront are under way', async () => {
    server = await ScriptedServer.start(() => ({
      status: 400,
      headers: { 'content-type': 'text/xml' },
      body:
        '<ErrorResponse><Error><Type>Sender</Type><Code>TooManyInvalidationsInProgress</Code>' +
        '<Message>Processing your request will cause you to exceed the maximum</Message></Error></ErrorResponse>',
    }));
    const provider = createProvider(cases.cloudfront.options(server.url));
    await expect(provider.purge(everything, signal())).rejects.toMatchObject({
      code: 'CDN_PROVIDER_RATE_LIMITED',
      retryAfterMs: 20_000,
    });
  });

  it('takes it for purged when a server does not have the path', async () => {
    server = await ScriptedServer.start(() => ({ status: 404 }));
    const provider = createProvider(cases['http-purge'].options(server.url));
    await expect(
      provider.purge({ kind: 'path', values: ['/a'], soft: false }, signal()),
    ).resolves.toBeUndefined();
  });
});

describe('options of a provider', () => {
  it('are refused with every problem and without a value', () => {
    const wrong = {
      type: 'cloudflare',
      zoneId: '',
      apiToken: `${SECRET}\n`,
      siteUrls: ['https://a.example/path'],
    };
    let message = '';
    try {
      createProvider(wrong as ProviderOptionsInput);
    } catch (error) {
      expect(error).toBeInstanceOf(CdnOptionsError);
      message = (error as Error).message;
    }
    expect(message).toMatch(/zoneId[\s\S]*|apiToken/);
    for (const field of ['zoneId', 'apiToken', 'siteUrls']) expect(message).toContain(field);
    expect(message).not.toContain(SECRET);
  });
});

/** Of XML the paths: the rest is the SDK's own. */
const partOf = (body: string) => /<Paths>.*<\/Paths>/.exec(body)?.[0] ?? body;
