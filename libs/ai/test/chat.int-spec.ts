import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { type ChatAnswer } from '../src/chat/chat-answer.js';
import { type ChatRequestInput, chatRequestSchema } from '../src/chat/chat-request.js';
import { AiFixture, type Member } from './support/ai-fixture.js';

jest.setTimeout(120_000);

let fixture: AiFixture;
let members: [Member, Member, Member];
let questions = 0;

/** A request that no other test has made. */
const request = (more: Partial<ChatRequestInput> = {}) =>
  chatRequestSchema.parse({
    messages: [{ role: 'user', content: `Question ${++questions}` }],
    temperature: 0,
    ...more,
  });

async function eventsOf(answer: ChatAnswer): Promise<string[]> {
  const events: string[] = [];
  for await (const lot of answer.events()) events.push(...lot);
  return events;
}

async function lotsOf(answer: ChatAnswer): Promise<number[]> {
  const lots: number[] = [];
  for await (const lot of answer.events()) lots.push(lot.length);
  return lots;
}

const textOf = (events: readonly string[]) =>
  events
    .filter((it) => it !== '[DONE]')
    .map(
      (it) =>
        (JSON.parse(it) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '',
    )
    .join('');

const open = (member: Member, it: ReturnType<typeof request>, tenant = 'a') =>
  member.chat.open(it, { tenant });

beforeAll(async () => {
  fixture = await AiFixture.start();
  members = [fixture.member(), fixture.member(), fixture.member()];
});
afterEach(() => fixture.provider.reset());
afterAll(() => fixture.stop());

describe('equal requests at the same time', () => {
  it.each([true, false])('are one call of the provider, in all processes (stream: %s)', async (stream) => {
    fixture.provider.hold();
    const asked = request({ stream });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => open(members[index % 3] as Member, asked)),
    );
    const texts = answers.map(async (it) =>
      stream
        ? textOf(await eventsOf(it))
        : String((await it.completion()).choices[0]?.message['content' as keyof object]),
    );
    await until(() => fixture.provider.calls.length > 0);
    fixture.provider.release();
    const results = new Set(await Promise.all(texts));
    expect(results.size).toBe(1);
    expect([...results][0]).toContain('word-');
    expect(fixture.provider.calls).toHaveLength(1);
  });

  it('who comes late, in another process, gets the chunks so far before the reply has ended', async () => {
    fixture.provider.hold();
    const asked = request({ stream: true });
    const first = await open(members[0], asked);
    const reading = first.events();
    const head = (await reading.next()).value as string[];
    const late = (await open(members[1], asked)).events();
    // The provider has not gone on: this can only come from the first process.
    expect((await late.next()).value).toEqual(head);
    fixture.provider.release();
    const rest = [];
    for await (const lot of late) rest.push(...lot);
    expect(rest.at(-1)).toBe('[DONE]');
    for await (const lot of reading) expect(lot.length).toBeGreaterThan(0);
    expect(fixture.provider.calls).toHaveLength(1);
  });

  it('the first caller may go: the call goes on for the others, and is not paid again', async () => {
    fixture.provider.hold();
    const asked = request({ stream: true });
    const gone = new AbortController();
    const first = await members[0].chat.open(asked, { tenant: 'a', signal: gone.signal });
    const leaving = first.events(gone.signal);
    await leaving.next();
    const other = eventsOf(await open(members[2], asked));
    gone.abort(new Error('gone'));
    await expect(leaving.next()).rejects.toThrow('gone');
    fixture.provider.release();
    expect((await other).at(-1)).toBe('[DONE]');
    expect(fixture.provider.calls).toHaveLength(1);
  });

  it('a process that ends hands over to one new call; who has seen nothing yet notices nothing', async () => {
    const dying = fixture.member();
    fixture.provider.hold();
    const asked = request();
    const lost = (await open(dying, asked)).completion();
    lost.catch(() => undefined);
    await until(() => fixture.provider.calls.length === 1);
    const waiting = (await open(members[0], asked)).completion();
    await dying.chat.close();
    await expect(lost).rejects.toThrow('closing');
    await until(() => fixture.provider.calls.length === 2);
    fixture.provider.release();
    expect((await waiting).choices[0]?.finish_reason).toBe('stop');
    expect(fixture.provider.calls).toHaveLength(2);
  });

  it('are paid by each tenant alone', async () => {
    const asked = request();
    await Promise.all(['a', 'b'].map(async (it) => (await open(members[0], asked, it)).completion()));
    expect(fixture.provider.calls).toHaveLength(2);
  });
});

describe('a kept reply', () => {
  it('answers streams and wholes alike, in other processes too, with the same chunks', async () => {
    const live = await eventsOf(await open(members[0], request({ stream: true })));
    const again = chatRequestSchema.parse({
      messages: [{ role: 'user', content: `Question ${questions}` }],
      temperature: 0,
    });
    const streamed = await open(members[1], { ...again, stream: true });
    expect(streamed.source).toBe('hit');
    expect(await eventsOf(streamed)).toEqual(live);
    const whole = await (await open(members[2], again)).completion();
    expect(whole).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: textOf(live) }, finish_reason: 'stop' }],
      usage: { completion_tokens: 7 },
    });
    expect(fixture.provider.calls).toHaveLength(1);
    expect(live.join()).not.toContain('obfuscation');
  });

  it('of 300 chunks is one lot: no timer stands between them', async () => {
    fixture.provider.words = 300;
    const asked = request({ stream: true });
    await (await open(members[0], asked)).completion();
    const spy = jest.spyOn(globalThis, 'setTimeout');
    try {
      const lots = await lotsOf(await open(members[0], asked));
      expect(lots).toEqual([302, 1]);
      expect(spy).not.toHaveBeenCalled();
    } finally {
      spy.mockRestore();
    }
  });

  it('has usage only for those who ask for it', async () => {
    const asked = request({ stream: true });
    await (await open(members[0], asked)).completion();
    const plain = await eventsOf(await open(members[0], asked));
    const withUsage = await eventsOf(
      await open(members[0], { ...asked, stream_options: { include_usage: true } }),
    );
    expect(plain.some((it) => it.includes('usage'))).toBe(false);
    expect(withUsage).toHaveLength(plain.length + 1);
    expect(JSON.parse(withUsage[0] as string)).toMatchObject({ usage: null });
    expect(JSON.parse(withUsage.at(-2) as string)).toMatchObject({
      choices: [],
      usage: { completion_tokens: 7 },
    });
  });

  it('brings tool calls back, whole and in pieces', async () => {
    const call = (index: number, piece: object) => ({ tool_calls: [{ index, ...piece }] });
    fixture.provider.fail({
      finishReason: 'tool_calls',
      deltas: [
        call(0, { id: 'call-a', type: 'function', function: { name: 'weather', arguments: '' } }),
        call(1, { id: 'call-b', type: 'function', function: { name: 'time', arguments: '{' } }),
        call(0, { function: { arguments: '{"city":' } }),
        call(1, { function: { arguments: '}' } }),
        call(0, { function: { arguments: '"Rome"}' } }),
      ],
    });
    const asked = request({ tools: [{ type: 'function', function: { name: 'weather' } }] });
    await (await open(members[0], asked)).completion();
    const { choices } = await (await open(members[1], asked)).completion();
    expect(choices[0]?.message).toMatchObject({
      content: '',
      tool_calls: [
        { id: 'call-a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
        { id: 'call-b', type: 'function', function: { name: 'time', arguments: '{}' } },
      ],
    });
    expect(fixture.provider.calls).toHaveLength(1);
  });

  it('is the same whether the provider streams or answers in one piece', async () => {
    fixture.provider.fail({ inOnePiece: true });
    const asked = request({ stream: true });
    const events = await eventsOf(await open(members[0], asked));
    expect(textOf(events)).toContain('word-');
    expect((await open(members[0], asked)).source).toBe('hit');
  });
});

describe('what is not kept', () => {
  it.each([
    ['a connection that breaks', { cutAfter: 2 }, 'AI_STREAM_BROKEN'],
    ['an end without [DONE]', { withoutDone: true }, 'AI_STREAM_BROKEN'],
    ['an end without a finish_reason', { finishReason: null }, 'AI_STREAM_BROKEN'],
    ['an error within the stream', { errorAfter: 2 }, 'AI_STREAM_BROKEN'],
  ])('%s', async (_, fault, code) => {
    fixture.provider.fail(fault);
    const asked = request();
    await expect((await open(members[0], asked)).completion()).rejects.toMatchObject({ code });
    expect((await (await open(members[0], asked)).completion()).choices[0]?.finish_reason).toBe('stop');
    expect(fixture.provider.calls).toHaveLength(2);
  });

  it.each(['length', 'content_filter'])('a reply that ended by %s', async (finishReason) => {
    fixture.provider.fail({ finishReason });
    const asked = request();
    const { choices } = await (await open(members[0], asked)).completion();
    expect(choices[0]?.finish_reason).toBe(finishReason);
    expect((await open(members[0], asked)).source).toBe('miss');
    await until(() => fixture.provider.calls.length === 2);
  });

  it.each([
    ['no temperature', { temperature: undefined }],
    ['a temperature above 0.3', { temperature: 0.31 }],
    ['several answers', { n: 2 }],
    ['a search of the web', { web_search_options: {} }],
    ['a tool of the provider', { tools: [{ type: 'web_search' }] }],
  ])('a reply to a request with %s', async (_, more) => {
    const asked = request(more);
    for (let time = 1; time <= 2; time++) {
      const answer = await open(members[0], asked);
      expect(answer.source).toBe('bypass');
      await answer.completion();
    }
    expect(fixture.provider.calls).toHaveLength(2);
  });

  it('a call whose caller has gone, when nobody else may have its answer, is given up', async () => {
    fixture.provider.hold();
    const gone = new AbortController();
    const asked = request({ temperature: 1, stream: true });
    const answer = await members[0].chat.open(asked, { tenant: 'a', signal: gone.signal });
    await answer.events(gone.signal).next();
    gone.abort(new Error('gone'));
    await expect(answer.completion()).rejects.toThrow('gone');
  });
});

it('a provider that falls silent is given up, and what has come stays unkept', async () => {
  const impatient = fixture.member({ provider: { timeoutMs: 200 } });
  fixture.provider.fail({ silentAfter: 2 });
  const answer = await open(impatient, request());
  await expect(answer.completion()).rejects.toMatchObject({ code: 'AI_PROVIDER_TIMEOUT' });
});

it('a model that nobody has configured is refused, and so is chat without a provider', async () => {
  await expect(open(members[0], request({ model: 'unheard-of' }))).rejects.toMatchObject({
    code: 'AI_UNKNOWN_MODEL',
    known: ['gpt-4o-mini'],
  });
  const bare = fixture.member({ provider: { chatModel: undefined } });
  await expect(open(bare, request())).rejects.toThrow('AI_CHAT_MODEL');
});

it('tells why a request was a miss', async () => {
  const asked = request({ seed: 1 });
  await (await open(members[0], asked)).completion();
  await (await open(members[0], { ...asked, seed: 2 })).completion();
  expect(members[0].chat.whyMissed({ ...asked, seed: 2 }, 'a')?.fields).toEqual([
    { field: 'request.seed', ours: '2', theirs: '1' },
  ]);
});
