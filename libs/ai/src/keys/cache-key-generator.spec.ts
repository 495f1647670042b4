import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AiKeyError } from '../ai.errors.js';
import { CacheKeyGenerator } from './cache-key-generator.js';
import { canonicalJson } from './canonical-json.js';

const analysis = { tenant: 't', code: 'let a;', language: 'typescript', rules: ['x', 'y'], model: 'm-1' };
const reply = { tenant: 't', provider: 'https://ai.example/v1', model: 'm-1' };
const messages = [{ role: 'user', content: 'Hello' }];

/** JSON, with what JavaScript adds to it: the values of a request. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

/** The same value with its properties in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, it]) => [name, turned(it)] as const)
      .reverse(),
  );
}

describe('canonicalJson', () => {
  it('is the same for equal values, whatever the order of their properties', () => {
    fc.assert(fc.property(json, (value) => expect(canonicalJson(turned(value))).toBe(canonicalJson(value))));
  });

  it('is another for another value: what it says reads back as the value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['NaN', { a: [Number.NaN] }, 'request.a[0]'],
    ['a function', { a: () => 1 }, 'request.a'],
    ['a date', { a: new Date() }, 'request.a'],
    ['a bigint', { a: 1n }, 'request.a'],
    ['undefined in a list', [undefined], 'request[0]'],
  ])('refuses %s', (_, value, path) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'AI_KEY', path }));
  });

  it('refuses a cycle', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => canonicalJson(cycle)).toThrow(AiKeyError);
  });
});

describe('CacheKeyGenerator', () => {
  const keys = new CacheKeyGenerator();
  const chat = (request: Record<string, unknown>) =>
    keys.chat({ ...reply, request: { messages, ...request } });

  it('has keys in the documented form, the same in every process and version of this program', () => {
    expect(keys.analysis(analysis)).toMatch(/^ai:analysis:v1:[0-9a-f]{64}:[0-9a-f]{64}$/);
    expect(keys.analysis(analysis)).toBe(
      'ai:analysis:v1:f355802cb6d444e175a567588ee4182ae21c1a063ff93a9526bf14b15e9392fa:c12830b5e1c75d086458f0a51a961bd1a7b94a7211fcbc401d9adb1448f4d651',
    );
  });

  it('sees through what cannot change an analysis', () => {
    const key = keys.analysis({ ...analysis, code: 'let a;\nlet b;' });
    expect(keys.analysis({ ...analysis, code: '\uFEFFlet a;\r\nlet b;\r\n\n' })).toBe(key);
    expect(keys.analysis({ ...analysis, code: 'let a;\nlet b;', rules: ['y', 'x', 'x'] })).toBe(key);
    expect(keys.analysis({ ...analysis, code: 'let a;\n\nlet b;' })).not.toBe(key);
  });

  it.each(['tenant', 'code', 'language', 'model', 'promptVersion', 'neverHeardOf'])(
    'has another key when %s differs',
    (field) => {
      expect(keys.analysis({ ...analysis, [field]: 'another' })).not.toBe(keys.analysis(analysis));
    },
  );

  it('never gives two analyses that differ one key', () => {
    const parts = fc.record({
      tenant: fc.string({ maxLength: 3 }),
      code: fc.string({ unit: 'binary', maxLength: 4 }),
      language: fc.string({ maxLength: 3 }),
      rules: fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 3 }),
      model: fc.string({ maxLength: 3 }),
    });
    const plain = (it: { code: string; rules: string[] }) =>
      canonicalJson({
        ...it,
        code: it.code
          .replace(/^\uFEFF/, '')
          .replaceAll(/\r\n?/g, '\n')
          .replace(/\n+$/, ''),
        rules: [...it.rules].sort(),
      });
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        expect(keys.analysis(left) === keys.analysis(right)).toBe(plain(left) === plain(right));
      }),
    );
  });

  it('keeps texts apart that only lack a well-formed spelling', () => {
    const of = (input: string) => keys.embedding({ tenant: 't', model: 'm', input });
    expect(of('\uD800')).not.toBe(of('\uFFFD'));
    expect(of('"\\ud800"')).not.toBe(of('\uD800'));
  });

  it('takes what is absent, null or the default for the same, and leaves out what has no effect', () => {
    const plain = chat({ temperature: 0 });
    expect(chat({ temperature: 0, n: 1, top_p: 1, stop: null, seed: undefined, tools: [] })).toBe(plain);
    expect(chat({ temperature: 0, tool_choice: 'none', response_format: { type: 'text' } })).toBe(plain);
    expect(chat({ temperature: 0, stream: true, stream_options: { include_usage: true }, user: 'u' })).toBe(
      plain,
    );
  });

  it.each([
    ['temperature', 0.1],
    ['seed', 7],
    ['max_tokens', 10],
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['logit_bias', { 50: -100 }],
    ['response_format', { type: 'json_object' }],
    ['reasoning_effort', 'low'],
    ['an_unknown_field', { nested: { deep: 1 } }],
    ['tenant', 'of the request, not ours'],
  ])('has another key with %s', (name, value) => {
    expect(chat({ temperature: 0, [name]: value })).not.toBe(chat({ temperature: 0 }));
  });

  it('sees nested fields, and who said what', () => {
    const one = chat({ temperature: 0, an_unknown_field: { nested: { deep: 1 } } });
    expect(chat({ temperature: 0, an_unknown_field: { nested: { deep: 2 } } })).not.toBe(one);
    const system = keys.chat({ ...reply, request: { messages: [{ role: 'system', content: 'Hello' }] } });
    expect(system).not.toBe(chat({}));
  });

  it('says where a key differs from the nearest, without contents, and never across tenants', () => {
    const generator = new CacheKeyGenerator({ remembered: 3 });
    const first = generator.analysis({ ...analysis, code: 'secret code' });
    generator.analysis({ ...analysis, tenant: 'somebody else', code: 'secret code', rules: ['x'] });
    const second = generator.analysis({ ...analysis, code: 'secret code', rules: ['x'] });
    const difference = generator.whyMissed(second);
    expect(difference).toEqual({
      nearest: first,
      fields: [{ field: 'rules', ours: '["x"]', theirs: '["x","y"]' }],
    });
    expect(JSON.stringify(difference)).not.toContain('secret');
    // Bounded: the first has to go when two more have come.
    generator.analysis({ ...analysis, code: '1' });
    expect(generator.whyMissed(first)).toBeUndefined();
  });
});
