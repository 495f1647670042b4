import { beforeAll, describe, expect, it, jest } from '@jest/globals';

import { QueryOptimizerError } from '../query-optimizer.errors.js';
import { analyse, analyseAfresh, analysisMemory } from './analyse.js';
import { MAX_NORMALISED_LENGTH } from './fingerprint.js';
import { canonicalKeyValue } from './key-value.js';
import { loadAnalyser, MAX_PARSED_TEXT_LENGTH, parseOne } from './parser.js';
import { StatementMemo } from './statement-memo.js';

// Hostile texts of megabytes, on a machine that others use too.
jest.setTimeout(60_000);

it('says that the grammar is not loaded', () => {
  expect(() => parseOne('select 1')).toThrow(expect.objectContaining({ code: 'QUERY_ANALYSER_NOT_LOADED' }));
});

describe('once loaded', () => {
  beforeAll(() => loadAnalyser());

  const fingerprint = (text: string) => analyseAfresh(text).fingerprint;
  const codeOf = (text: unknown): string => {
    try {
      analyse(text as string);
    } catch (error) {
      return error instanceof QueryOptimizerError ? error.code : String(error);
    }
    return 'none';
  };

  it.each([
    ['', 'QUERY_EMPTY'],
    [' \n\t', 'QUERY_EMPTY'],
    [';', 'QUERY_EMPTY'],
    ['-- only a comment', 'QUERY_EMPTY'],
    ['/* a */;;', 'QUERY_EMPTY'],
    ['select 1; select 2', 'QUERY_MULTIPLE_STATEMENTS'],
    ['begin; delete from t; commit', 'QUERY_MULTIPLE_STATEMENTS'],
    ['select 1;;', 'none'],
    ['select 1\0; drop table x', 'QUERY_INVALID_TEXT'],
    [undefined, 'QUERY_INVALID_TEXT'],
    [7, 'QUERY_INVALID_TEXT'],
  ])('refuses %j with %s', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('answers an unknown statement, with the reason, for what does not parse', () => {
    const statement = analyse('select * fro t');
    expect(statement).toMatchObject({
      kind: 'unknown',
      syntaxError: { code: 'QUERY_SYNTAX', positionBytes: 9 },
    });
  });

  it.each([
    ['parentheses', `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`],
    ['subqueries', `select ${'(select '.repeat(5_000)}1${')'.repeat(5_000)}`],
    ['an endless sum', `select 1${'+1'.repeat(60_000)}`],
    ['an endless union', Array(30_000).fill('select 1').join(' union ')],
    ['megabytes', `select '${'x'.repeat(MAX_PARSED_TEXT_LENGTH)}'`],
  ])('survives %s', (_what, text) => {
    expect(analyseAfresh(text).kind).toBe('unknown');
    expect(analyseAfresh('select * from t').kind).toBe('select');
  });

  it('freezes what it answers', () => {
    const statement = analyse('select a from t where b = 1');
    expect(Object.isFrozen(statement) && Object.isFrozen(statement.predicates[0]?.column)).toBe(true);
    expect(analyse('select a from t where b = 1')).toBe(statement);
  });

  describe('the fingerprint', () => {
    it('is 16 hex digits and stable over releases', () => {
      expect(fingerprint('select * from t where id = 1')).toMatch(/^[0-9a-f]{16}$/);
      expect(fingerprint('select * from t where id = 1')).toBe('784b50a71032983d');
    });

    it.each([
      ['constants', 'select * from t where id = 1', 'select * from t where id = 2'],
      ['parameters', 'select * from t where id = 1', 'select * from t where id = $1'],
      ['layout', 'select * from t', 'SELECT  *\nFROM t ;'],
      ['a trailing comment', 'select * from t', "select * from t /*traceparent='00-1',route='%2Fa'*/"],
      ['a leading comment', 'select * from t', '-- x\n/* y */ select * from t'],
      ['the length of a list', 'select * from t where id in (1)', 'select * from t where id in (1, 2, 3)'],
    ])('ignores %s', (_what, one, other) => {
      expect(fingerprint(one)).toBe(fingerprint(other));
    });

    it.each([
      ['schemas', 'select * from a.t', 'select * from b.t'],
      ['schemas of the target', 'insert into a.t values (1)', 'insert into b.t values (1)'],
      [
        'schemas exchanged',
        'select * from a.t x join b.t y on x.i = y.i',
        'select * from b.t x join a.t y on x.i = y.i',
      ],
      ['schemas truncated', 'truncate a.t', 'truncate b.t'],
      ['dots in names', 'select * from "a.b".c', 'select * from a."b.c"'],
      ['columns', 'select * from t where a = 1', 'select * from t where b = 1'],
      ['tables', 'select * from t', 'select * from u'],
      ['texts that do not parse', 'selekt a', 'selekt b'],
    ])('tells %s apart', (_what, one, other) => {
      expect(fingerprint(one)).not.toBe(fingerprint(other));
    });
  });

  describe('the normalised text', () => {
    const normalised = (text: string) => analyseAfresh(text).normalisedText;

    it.each([
      ["select * from t where a = 'secret' and b = $1", 'select * from t where a = $2 and b = $1'],
      ["/* x */ select  1\n -- y\n, 'é' /* z */ ; ", 'select $1 , $2'],
      ['select \'/* not a comment */\', "/* name */" from t', 'select $1, "/* name */" from t'],
      ['select $a$ -- x $a$ from t', 'select $1 from t'],
      ["selekt 'secret' 12 $$ hidden $$ 'open", 'selekt ? ? ? ?'],
    ])('of %s', (text, expected) => {
      expect(normalised(text)).toBe(expected);
    });

    it('is bounded', () => {
      const text = `select ${Array.from({ length: 5_000 }, (_, i) => `c${i}`).join(', ')} from t`;
      expect(normalised(text)).toHaveLength(MAX_NORMALISED_LENGTH);
    });
  });

  describe('the memory', () => {
    it('keeps what is asked for again through a flood of texts with inlined literals', () => {
      const memo = new StatementMemo({ maxTexts: 100 });
      const hot = Array.from({ length: 50 }, (_, i) => `select ${i} from hot`);
      for (let round = 0; round < 3; round++)
        hot.forEach((it) => memo.get(it) ?? memo.add(it, analyseAfresh(it)));
      for (let i = 0; i < 1_000; i++) {
        const text = `select ${i} from flood`;
        memo.add(text, analyseAfresh(text));
        expect(memo.size).toBeLessThanOrEqual(100);
      }
      expect(hot.filter((it) => memo.get(it) !== undefined)).toHaveLength(50);
    });

    it('gives way when the hot texts change', () => {
      const memo = new StatementMemo({ maxTexts: 20 });
      const ask = (text: string) => memo.get(text) ?? memo.add(text, analyseAfresh(text));
      for (let i = 0; i < 200; i++) ask(`select ${i % 15} from old`);
      for (let i = 0; i < 2_000; i++) ask(`select ${i % 4} from new`);
      expect([0, 1, 2, 3].every((i) => memo.get(`select ${i} from new`) !== undefined)).toBe(true);
    });

    it('is bounded in bytes, and does not remember what is too large', () => {
      const memo = new StatementMemo({ maxBytes: 1024 * 1024 });
      for (let i = 0; i < 2_000; i++) {
        const text = `select ${i}, '${'x'.repeat(1_000)}'`;
        memo.add(text, analyseAfresh(text));
      }
      expect(memo.bytes).toBeLessThanOrEqual(1024 * 1024);
      const large = `select '${'x'.repeat(100_000)}'`;
      memo.add(large, analyseAfresh(large));
      expect(memo.get(large)).toBeUndefined();
    });

    it('keeps a share of its bytes, nothing at 0, and fills again', () => {
      const memo = new StatementMemo();
      const texts = Array.from({ length: 100 }, (_, i) => `select ${i} from limited`);
      const fill = () => texts.forEach((it) => memo.get(it) ?? memo.add(it, analyseAfresh(it)));
      fill();
      const { bytes } = memo;
      expect(memo.limit(0)).toBe(bytes);
      fill();
      expect(memo.size).toBe(0);
      memo.limit(1);
      fill();
      expect(memo.bytes).toBe(bytes);
    });

    it('counts its texts', () => {
      analyse('select 1 from counted');
      expect(analysisMemory().texts).toBeGreaterThan(0);
    });
  });
});

describe('canonical key values', () => {
  it.each([
    ['integer', 7, '7'],
    ['integer', ' +07 ', '7'],
    ['integer', -0, '0'],
    ['integer', 9007199254740993n, '9007199254740993'],
    ['integer', 1.5, undefined],
    ['integer', Number.NaN, undefined],
    ['integer', '1_000', undefined],
    ['integer', null, undefined],
    ['uuid', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'],
    ['uuid', 'nonsense', undefined],
    ['text', 'A', 'A'],
    ['text', 12, '12'],
    ['text', ' a  ', ' a'],
    ['text', new Date(0), undefined],
    ['boolean', ' TRUE ', 'true'],
    ['boolean', false, 'false'],
    ['boolean', 'yes', undefined],
  ] as const)('%s %p', (kind, value, expected) => {
    expect(canonicalKeyValue(kind, value)).toBe(expected);
  });
});
