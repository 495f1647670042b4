import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { type ChatRequest, type ChatRequestInput, chatRequestSchema } from '../src/chat/chat-request.js';
import { AiStatisticsService } from '../src/usage/ai-statistics.service.js';
import { AiFixture, type Member } from './support/ai-fixture.js';

const PAIRS_AT_ONCE = 30;

let fixture: AiFixture;
let member: Member;
let contexts = 0;

/** A question in a conversation that no other test has. */
const conversation = () => {
  const system = { role: 'system', content: `Conversation ${++contexts}` };
  return (content: string, more: Partial<ChatRequestInput> = {}): ChatRequest =>
    chatRequestSchema.parse({ messages: [system, { role: 'user', content }], temperature: 0, ...more });
};

/** The worst of all models: to it all texts are one. Only the guard is left. */
const blind = () => [1, 0, 0, 0, 0, 0, 0, 0];

async function ask(request: ChatRequest, { of = member, tenant = 'a' } = {}) {
  const answer = await of.chat.open(request, { tenant });
  const { choices } = await answer.completion();
  return { ...answer.detail, source: answer.source, text: JSON.stringify(choices) };
}
const chats = () => fixture.provider.calls.filter((it) => it.endsWith('/chat/completions')).length;
/** It learns from a hit after it has answered. */
const learnt = (of: Member, questions: number) => until(() => of.semantic?.questions === questions);

/** Facts that only a digit, a version, a date, a name or a negation tells apart. */
function pairsApart(): [string, string][] {
  return Array.from({ length: 60 }, (_, n): [string, string][] => [
    [`Does service-${n} listen on port ${8000 + n}?`, `Does service-${n} listen on port ${8001 + n}?`],
    [`What changed in release v${n}.1 of it?`, `What changed in release v${n}.2 of it?`],
    [`Why is service-${n} allowed to call it?`, `Why is service-${n} not allowed to call it?`],
    [`What did "job ${n}" do on 2026-03-01?`, `What did "job ${n}" do on 2026-03-02?`],
    [`Why can ${n} workers restart?`, `Why can't ${n} workers restart?`],
  ]).flat();
}

beforeAll(async () => {
  fixture = await AiFixture.start();
  member = fixture.member({ semanticReuse: { maxQuestionsPerTenant: 1_000 } });
}, 120_000);
afterEach(() => fixture.provider.reset());
afterAll(() => fixture.stop());

describe('semantic reuse', () => {
  it('never answers one of 300 pairs with the other, whatever the embeddings say', async () => {
    fixture.provider.embedding = blind;
    fixture.provider.words = 1;
    const pairs = pairsApart();
    expect(new Set(pairs.flat()).size).toBe(600);
    const sources: string[] = [];
    for (let at = 0; at < pairs.length; at += PAIRS_AT_ONCE) {
      const lot = pairs.slice(at, at + PAIRS_AT_ONCE).map((pair) => ({ pair, of: conversation() }));
      await Promise.all(lot.map(({ pair, of }) => ask(of(pair[0]))));
      const others = await Promise.all(lot.map(({ pair, of }) => ask(of(pair[1]))));
      sources.push(...others.map((it) => it.source));
    }
    expect(sources).toEqual(pairs.map(() => 'miss'));
    expect(chats()).toBe(600);
  }, 180_000);

  it('answers what says nearly the same with the kept reply, marked, and counts it apart', async () => {
    fixture.provider.embedding = blind;
    const question = conversation();
    const first = await ask(question('How do I restart the worker?'));
    const near = await ask(question('how do I restart a worker', { stream: true }));
    expect(near).toEqual({ source: 'semantic', similarity: 1, text: first.text });
    expect(chats()).toBe(1);
    // The same question is a hit, not a neighbour of itself.
    expect((await ask(question('How do I restart the worker?'))).source).toBe('hit');
    const { models } = await new AiStatisticsService(member.ledger, member.prices).read(1);
    const chat = models.find((it) => it.kind === 'chat');
    expect(chat?.results).toMatchObject({ hit: 1, semantic: 1 });
    expect(chat?.semanticUsd).toBeGreaterThan(0);
  }, 60_000);

  it('asks the provider when the embedding is below the threshold', async () => {
    fixture.provider.embedding = (text) =>
      (text.startsWith('how') ? [0.96, 0.28] : [1, 0]).concat(Array(6).fill(0));
    const question = conversation();
    await ask(question('How do I pause the queue?'));
    expect((await ask(question('how do I pause a queue'))).source).toBe('miss');
    expect(chats()).toBe(2);
  }, 60_000);

  it.each<[string, Partial<ChatRequestInput>, string]>([
    ['another system message', {}, 'b'],
    ['another field of the request', { seed: 7 }, 'a'],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'a'],
    ['a temperature above 0.3', { temperature: 0.5 }, 'a'],
  ])(
    'never reuses for %s',
    async (_, more, group) => {
      fixture.provider.embedding = blind;
      const [question, other] = [conversation(), conversation()];
      await ask(question('How do I restart the worker?'));
      const asked = (group === 'a' ? question : other)('how do I restart a worker', more);
      expect((await ask(asked)).source).not.toBe('semantic');
      expect(chats()).toBe(2);
    },
    60_000,
  );

  it('never reuses the reply to a request with tools, nor one on its way, nor across tenants', async () => {
    fixture.provider.embedding = blind;
    const question = conversation();
    const tools = [{ type: 'function', function: { name: 'f' } }];
    await ask(question('How do I restart the worker?', { tools }));
    expect((await ask(question('how do I restart a worker', { tools }))).source).toBe('miss');
    fixture.provider.hold();
    const under = await member.chat.open(question('How do I stop the worker?'), { tenant: 'a' });
    await until(() => chats() === 3);
    const other = await member.chat.open(question('how do I stop a worker'), { tenant: 'a' });
    expect(other.source).toBe('miss');
    await until(() => chats() === 4);
    fixture.provider.release();
    await Promise.all([under.completion(), other.completion()]);
    expect((await ask(question('How do I stop worker?'), { tenant: 'b' })).source).toBe('miss');
    expect((await ask(question('How do I stop worker?'))).source).toBe('semantic');
  }, 60_000);

  it('is off unless it is asked for, and a process comes to know what others have paid', async () => {
    fixture.provider.embedding = blind;
    const question = conversation();
    const [plain, later] = [fixture.member(), fixture.member({ semanticReuse: {} })];
    await ask(question('How do I restart the worker?'), { of: plain });
    expect((await ask(question('how do I restart a worker'), { of: plain })).source).toBe('miss');
    expect((await ask(question('How do I restart worker?'), { of: later })).source).toBe('miss');
    expect((await ask(question('How do I restart the worker?'), { of: later })).source).toBe('hit');
    await learnt(later, 2);
    expect((await ask(question('How do I restart a worker, now?'), { of: later })).source).toBe('miss');
    expect((await ask(question('How do I restart an worker'), { of: later })).source).toBe('semantic');
  }, 60_000);

  it('a reply that is gone from the cache answers nobody', async () => {
    fixture.provider.embedding = blind;
    const question = conversation();
    await ask(question('How do I restart the worker?'));
    await member.cache.namespace('ai').clear();
    expect((await ask(question('how do I restart a worker'))).source).toBe('miss');
  }, 60_000);

  it('a question that cannot be embedded is paid, and counted', async () => {
    const question = conversation();
    const { failures = 0 } = member.semantic ?? {};
    fixture.provider.fail({ status: 400 });
    expect((await ask(question('How do I drain the queue?'))).source).toBe('miss');
    expect(member.semantic?.failures).toBe(failures + 1);
  }, 60_000);
});
