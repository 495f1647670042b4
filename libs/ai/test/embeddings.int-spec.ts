import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AiFixture, type Member } from './support/ai-fixture.js';
import { vectorOf } from '../src/testing/provider-server.js';

jest.setTimeout(120_000);

let fixture: AiFixture;
let members: [Member, Member];
let texts = 0;

/** Texts that no other test has embedded. */
const fresh = (count: number) => Array.from({ length: count }, () => `text ${++texts}`);
const embed = (member: Member, inputs: readonly string[], tenant = 'a') =>
  member.embeddings.embed({ tenant, inputs });
const inputsOf = (index: number) => fixture.provider.requests[index]?.body['input'] as string[];

beforeAll(async () => {
  fixture = await AiFixture.start();
  members = [fixture.member(), fixture.member()];
});
afterEach(() => fixture.provider.reset());
afterAll(() => fixture.stop());

it('asks the provider for what nobody has asked for, in one call, and gives the vectors in the order of the inputs', async () => {
  const [a = '', b = '', c = ''] = fresh(3);
  await embed(members[0], [a]);
  fixture.provider.fail({ order: 'reversed' });
  const answer = await embed(members[1], [c, a, b, c]);
  expect(answer.vectors.map((it) => [...it])).toEqual([c, a, b, c].map((it) => vectorOf(it)));
  expect(answer).toMatchObject({ dimensions: 8, paidInputs: 2 });
  expect(fixture.provider.calls).toHaveLength(2);
  expect(inputsOf(1).toSorted()).toEqual([b, c].toSorted());
  expect(fixture.provider.requests[1]?.body).toMatchObject({ encoding_format: 'base64', dimensions: 8 });
});

it('shares what is on its way: callers of all processes that want the same pay once', async () => {
  const wanted = fresh(5);
  fixture.provider.latencyMs = 50;
  try {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => embed(members[index % 2] as Member, wanted)),
    );
    for (const { vectors } of answers)
      expect([...(vectors[4] as Float32Array)]).toEqual(vectorOf(wanted[4] as string));
    const asked = fixture.provider.requests.flatMap((it) => it.body['input'] as string[]);
    expect(asked.toSorted()).toEqual(wanted.toSorted());
  } finally {
    fixture.provider.latencyMs = 0;
  }
});

it('packs to the limits of the protocol', async () => {
  const { vectors } = await embed(members[0], fresh(2_500));
  expect(vectors).toHaveLength(2_500);
  const sizes = fixture.provider.requests.map((it) => (it.body['input'] as string[]).length);
  expect(sizes.reduce((sum, it) => sum + it, 0)).toBe(2_500);
  // Two if the misses come close together, which a busy machine may not let them.
  expect(sizes.length).toBeLessThan(50);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2_048);
});

it('keeps tenants apart', async () => {
  const wanted = fresh(1);
  await embed(members[0], wanted, 'a');
  await embed(members[0], wanted, 'b');
  expect(fixture.provider.calls).toHaveLength(2);
});

describe('a provider', () => {
  it('may answer numbers though base64 was asked for', async () => {
    const [text = ''] = fresh(1);
    fixture.provider.fail({ format: 'float' });
    expect([...((await embed(members[0], [text])).vectors[0] as Float32Array)]).toEqual(vectorOf(text));
  });

  it.each([
    ['another length', { dimensions: 12 }, '12 numbers instead of 8; check AI_EMBEDDING_DIMENSIONS'],
    ['NaN', { format: 'nan' as const }, 'NaN'],
    ['one place twice', { order: 'doubled' as const }, 'twice'],
  ])('that answers %s is not believed, and nothing is kept', async (_, fault, message) => {
    const wanted = fresh(2);
    fixture.provider.fail(fault);
    const error = await embed(members[0], wanted).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: 'AI_PROVIDER_ANSWER', message: expect.stringContaining(message) });
    expect((await embed(members[0], wanted)).paidInputs).toBe(2);
  });

  it.each([
    ['nothing', null],
    ['a negative number', { prompt_tokens: -5 }],
    ['an absurd number', { prompt_tokens: 1e12 }],
    ['no number', { prompt_tokens: 'many' }],
  ])('that says %s of its tokens is taken by our own estimate, and counted', async (_, usage) => {
    const before = members[0].budget.counters.suspectUsages;
    fixture.provider.fail({ usage });
    const { promptTokens } = await embed(members[0], fresh(1));
    expect(promptTokens).toBeGreaterThan(0);
    expect(promptTokens).toBeLessThan(20);
    expect(members[0].budget.counters.suspectUsages).toBe(before + 1);
  });
});

it.each([
  ['an empty text', [''], 'input[0]'],
  ['a text of 10 MB', ['x'.repeat(10_000_000)], 'input[0]'],
  ['10,001 texts', Array.from({ length: 10_001 }, String), 'input'],
])('%s is refused before anything is sent', async (_, inputs, field) => {
  await expect(embed(members[0], inputs)).rejects.toMatchObject({ code: 'AI_INVALID_INPUT', field });
  expect(fixture.provider.calls).toHaveLength(0);
});

it('holds 10,000 of the usual length in about 50 MB of memory, forgets them with the cache, and needs no provider', async () => {
  const local = fixture.member({ provider: { embeddingModel: undefined } });
  const inputs = Array.from({ length: 200 }, (_, it) => `local ${it}`);
  const { model, vectors } = await embed(local, inputs);
  expect([model, vectors[0]?.length]).toEqual(['local-hashing-384-v1', 384]);
  expect(local.memory.entries).toBe(200);
  expect((local.memory.bytes / 200) * 10_000).toBeLessThan(50 * 1_048_576);
  expect((await embed(local, inputs)).paidInputs).toBe(0);
  await local.cache.flush();
  expect(local.memory.entries).toBe(0);
  expect(fixture.provider.calls).toHaveLength(0);
});
