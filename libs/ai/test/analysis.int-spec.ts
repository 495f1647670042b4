import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { bindCache } from '@peregrine/cache';
import { CachedAiCall } from '../src/cached-ai-call.js';
import { AiFixture, type Member } from './support/ai-fixture.js';

jest.setTimeout(120_000);

let fixture: AiFixture;
let members: [Member, Member];
const code = `export function run(text) {\n  if (text == 'x') eval(text);\n  return /(a+)+$/.test(text);\n}\n`;
const analyse = (member: Member, more: object = {}) =>
  member.analyses.analyse({ tenant: 'a', code, language: 'javascript', ...more });

beforeAll(async () => {
  fixture = await AiFixture.start();
  members = [fixture.member({ provider: {} }), fixture.member({ provider: {} })];
});
afterEach(() => fixture.provider.reset());
afterAll(() => fixture.stop());

describe('the local analysis', () => {
  it('finds what the rules are about, with places', async () => {
    const { analysis, source } = await analyse(members[0]);
    expect(source).toBe('miss');
    expect(analysis.findings.map((it) => [it.rule, it.severity, it.line])).toEqual([
      ['quality/loose-equality', 'warning', 2],
      ['security/eval', 'error', 2],
      ['security/unsafe-regex', 'error', 3],
    ]);
    expect(analysis).toMatchObject({
      language: 'javascript',
      errors: 2,
      warnings: 1,
      lines: 4,
      isTruncated: false,
    });
  });

  it('looks only at the rules that were asked for, in any order, and under any name of the language', async () => {
    const one = await analyse(members[0], { rules: ['security/eval', 'quality'], language: 'JS' });
    const other = await analyse(members[1], { rules: ['quality', 'security/eval', 'quality'] });
    expect(one.analysis.findings.map((it) => it.rule)).toEqual(['quality/loose-equality', 'security/eval']);
    expect([other.key, other.source]).toEqual([one.key, 'hit']);
  });

  it('is made once for all who ask at the same time, and kept for other processes', async () => {
    const asked = { code: `${code}// at once` };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, it) => analyse(members[it % 2] as Member, asked)),
    );
    expect(answers.filter((it) => it.source === 'miss')).toHaveLength(1);
    expect(await members[1].analyses.getAnalysis({ tenant: 'a', language: 'js', ...asked })).toEqual(
      answers[0]?.analysis,
    );
    expect(await members[1].analyses.getAnalysis({ tenant: 'b', language: 'js', ...asked })).toBeUndefined();
  });

  it('reads TypeScript and JSX', async () => {
    const typed = await analyse(members[0], {
      language: 'typescript',
      code: 'let a: number = 1;\nexport { a };',
    });
    expect(typed.analysis.findings.map((it) => it.rule)).toEqual(['quality/prefer-const']);
    const jsx = await analyse(members[0], {
      language: 'tsx',
      code: 'export const A = () => <b>{eval("1")}</b>;',
    });
    expect(jsx.analysis.findings.map((it) => it.rule)).toEqual(['security/eval']);
  });

  it('cannot be switched off by the code, and runs none of it', async () => {
    const sly = '/* eslint-disable */\n// eslint-disable-next-line\neval("process.exit(1)");\n';
    const { analysis } = await analyse(members[0], { code: sly });
    expect(analysis.findings.map((it) => it.rule)).toEqual(['security/eval']);
  });

  it('says where code is no code', async () => {
    const { analysis } = await analyse(members[0], { code: 'const = ;' });
    expect(analysis.findings).toMatchObject([{ rule: 'syntax', severity: 'error', line: 1 }]);
  });

  it('gives up what takes too long, keeps nothing, and goes on', async () => {
    const impatient = fixture.member({ provider: {}, analysisTimeoutMs: 1 });
    await expect(analyse(impatient, { code: 'a;' })).rejects.toMatchObject({ code: 'AI_ANALYSIS_TIMEOUT' });
    expect((await analyse(members[0], { code: 'a;' })).source).toBe('miss');
  });

  it.each([
    ['an empty code', { code: ' \n' }, 'AI_INVALID_INPUT', 'empty'],
    ['a code of 10 MB', { code: 'a;'.repeat(5_000_000) }, 'AI_INVALID_INPUT', 'at most 1048576'],
    ['an unknown language', { language: 'klingon' }, 'AI_UNKNOWN_LANGUAGE', 'javascript, typescript'],
    ['an unknown rule', { rules: ['security', 'style/commas'] }, 'AI_UNKNOWN_RULE', '"style/commas"'],
  ])('%s is refused with what to do', async (_, more, errorCode, message) => {
    const error = await analyse(members[0], more).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: errorCode, message: expect.stringContaining(message) });
  });

  it('takes results that were made elsewhere', async () => {
    const asked = { tenant: 'a', code: 'elsewhere();', language: 'js' };
    const finding = {
      rule: 'quality/complexity',
      severity: 'warning' as const,
      message: 'm',
      line: 1,
      column: 1,
      endLine: null,
      endColumn: null,
    };
    const usage = { promptTokens: 1, cachedPromptTokens: 0, completionTokens: 1 };
    const set = await members[0].analyses.setAnalysis(asked, [finding], usage);
    expect(await members[1].analyses.getAnalysis(asked)).toEqual(set);
  });
});

describe('the analysis by a model', () => {
  const found = (rule: string, line = 1) => ({
    rule,
    severity: 'error',
    message: 'm',
    line,
    column: 1,
    endLine: null,
    endColumn: null,
  });
  const answer = (findings: unknown) => ({ deltas: [{ content: JSON.stringify({ findings }) }] });

  it('holds the answer to the schema and to the rules that were asked for', async () => {
    const member = fixture.member({ analyser: 'model' });
    fixture.provider.fail(answer([found('security/eval', 2), found('style/made-up')]));
    const { analysis } = await analyse(member, { language: 'python', rules: ['security/eval'] });
    expect(analysis.findings).toMatchObject([{ rule: 'security/eval', line: 2 }]);
    expect(fixture.provider.requests[0]?.body).toMatchObject({
      temperature: 0,
      response_format: { type: 'json_schema', json_schema: { strict: true } },
    });
    expect((await analyse(member, { language: 'py', rules: ['security/eval'] })).source).toBe('hit');
  });

  it.each([
    ['no JSON', { deltas: [{ content: 'I found nothing.' }] }],
    ['another form', answer([{ rule: 'security/eval' }])],
    ['half of it', { finishReason: 'length' }],
  ])('takes %s for an error, and keeps nothing', async (_, fault) => {
    const member = fixture.member({ analyser: 'model' });
    const asked = { code: `broken ${JSON.stringify(fault)}` };
    fixture.provider.fail(fault, answer([]));
    await expect(analyse(member, asked)).rejects.toMatchObject({ code: 'AI_PROVIDER_ANSWER' });
    expect((await analyse(member, asked)).source).toBe('miss');
  });
});

describe('@CachedAiCall', () => {
  class Calls {
    made = 0;
    @CachedAiCall('analysis')
    async review(call: { tenant: string; code: string; language: string; rules: string[]; model: string }) {
      if (call.code === 'bad') throw new Error('no');
      return Promise.resolve({ made: ++this.made });
    }
    @CachedAiCall('chat')
    chat(_call: { tenant: string; temperature?: number; prompt: string }) {
      return Promise.resolve({ made: ++this.made });
    }
  }
  const parts = { tenant: 'a', code: 'a', language: 'x', rules: ['1', '2'], model: 'm' };

  it('keeps results by the rules of their kind, and no errors', async () => {
    const calls = bindCache(new Calls(), members[0].cache);
    expect(await calls.review(parts)).toEqual({ made: 1 });
    expect(await calls.review({ ...parts, rules: ['2', '1'], code: 'a\n' })).toEqual({ made: 1 });
    expect(await calls.review({ ...parts, tenant: 'b' })).toEqual({ made: 2 });
    await expect(calls.review({ ...parts, code: 'bad' })).rejects.toThrow('no');
    await expect(calls.review({ ...parts, code: 'bad' })).rejects.toThrow('no');
  });

  it('goes past the cache for warm chats, and refuses calls without a tenant', async () => {
    const calls = bindCache(new Calls(), members[0].cache);
    const cold = { tenant: 'a', prompt: 'p', temperature: 0.3 };
    expect([await calls.chat(cold), await calls.chat(cold)]).toEqual([{ made: 1 }, { made: 1 }]);
    expect(await calls.chat({ ...cold, temperature: 0.4 })).toEqual({ made: 2 });
    expect(await calls.chat({ tenant: 'a', prompt: 'p' })).toEqual({ made: 3 });
    await expect(calls.chat({ ...cold, tenant: '' })).rejects.toMatchObject({ code: 'AI_KEY' });
  });
});
