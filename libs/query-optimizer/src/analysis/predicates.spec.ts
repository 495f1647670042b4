import { beforeAll, describe, expect, it } from '@jest/globals';

import { analyseAfresh } from './analyse.js';
import { loadAnalyser } from './parser.js';
import { type ColumnUse, type Operand } from './predicate.js';
import { type Statement } from './statement.js';

beforeAll(() => loadAnalyser());

function columnText(statement: Statement, { name, reference, expression }: ColumnUse): string {
  const alias = reference === null ? '?' : statement.references[reference]?.alias;
  return `${alias}.${expression ?? name}`;
}

function operandText(statement: Statement, operand: Operand): string {
  switch (operand.kind) {
    case 'parameter':
      return `$${operand.number}${operand.castTo === null ? '' : `::${operand.castTo}`}`;
    case 'parameterArray':
      return `[$${operand.number}]`;
    case 'constant':
      return JSON.stringify(operand.value);
    case 'list':
      return `(${operand.items.map((it) => operandText(statement, it)).join(' ')})`;
    case 'column':
      return columnText(statement, operand.column);
    case 'expression':
      return `<${operand.text}>`;
    default:
      return operand.kind;
  }
}

/** `*` stands before a predicate that is required for every row of the result, `+` for one of its own block. */
const predicates = (text: string): string[] => {
  const statement = analyseAfresh(text);
  return statement.predicates.map((it) => {
    const mark = it.required ? '*' : it.decides.length > 0 ? '+' : '';
    return `${mark}${columnText(statement, it.column)} ${it.operator} ${operandText(statement, it.operand)}`;
  });
};

describe('predicates', () => {
  it.each<[string, string[]]>([
    ['id = $1', ['*t.id = $1']],
    ['$1 = id', ['*t.id = $1']],
    ['5 < age', ['*t.age > "5"']],
    ['id = $1::uuid', ['*t.id = $1::uuid']],
    ['t.id = -1', ['*t.id = "-1"']],
    ['id = 0 and b = false and n = null', ['*t.id = "0"', '*t.b = false', '*t.n = null']],
    ['id in ($1, 2)', ['*t.id in ($1 "2")']],
    ['id not in (1)', ['*t.id not in ("1")']],
    ['id = any ($1)', ['*t.id any [$1]']],
    ['id = any (array[1, 2])', ['*t.id any ("1" "2")']],
    ['id <> all ($1)', ['*t.id not any [$1]']],
    ['age between 1 and $2', ['*t.age between ("1" $2)']],
    ['age not between 1 and 2', ['*t.age not between ("1" "2")']],
    ['a is null and b is not null', ['*t.a is null none', '*t.b is not null none']],
    ["name like 'a%' and name not ilike $1", ['*t.name like "a%"', '*t.name not ilike $1']],
    ["name ~ '^a' and name !~* 'b'", ['*t.name ~ "^a"', '*t.name !~* "b"']],
    ["name similar to 'a'", [`*t.name similar <pg_catalog.similar_to_escape('a')>`]],
    [
      "doc @> '{}' and tags && $1 and tsv @@ to_tsquery('x')",
      ['*t.doc @> "{}"', '*t.tags && $1', "*t.tsv @@ <to_tsquery('x')>"],
    ],
    ["doc ->> 'a' = $1", ["*t.(doc ->> 'a') = $1"]],
    ["(doc -> 'a' ->> 'b')::int > 3", ["*t.(((doc -> 'a') ->> 'b'))::pg_catalog.int4 > \"3\""]],
    ['lower(email) = lower($1)', ['*t.lower(email) = <lower($1)>']],
    ["date_trunc('day', at) = $1", ["*t.date_trunc('day', at) = $1"]],
    ['coalesce(a, 0) = 1', ['*t.coalesce(a, 0) = "1"']],
    ['a + b > 1', []],
    [
      'flag and not hidden and x is true',
      ['*t.flag is true none', '*t.hidden is false none', '*t.x is true none'],
    ],
    ['a = 1 or b = 2', ['t.a = "1"', 't.b = "2"']],
    ['not (a = 1 and b = 2)', ['t.a = "1"', 't.b = "2"']],
    [
      'a is distinct from 1 and b is not distinct from $1',
      ['*t.a is distinct "1"', '*t.b is not distinct $1'],
    ],
    ['(a, b) = ($1, 2)', ['*t.a = $1', '*t.b = "2"']],
    ['(a, b) > ($1, $2)', ['*t.a >= $1']],
    ['(a, b) <> (1, 2)', []],
    ['a operator(s.=) 1', ['*t.a operator(s.=) "1"']],
    ['id in (select id from u where u.k = 1)', ['*t.id in subquery', '+u.k = "1"']],
    ['exists (select 1 from u where u.id = t.id and x = 1)', ['+u.id = t.id', 't.id = u.id', '+?.x = "1"']],
    ['a = b', ['*t.a = t.b', '*t.b = t.a']],
    ['"Odd" = \'it\'\'s\' and "select" = 1', ['*t.Odd = "it\'s"', '*t.select = "1"']],
  ])('%s', (condition, expected) => {
    expect(predicates(`select * from t where ${condition}`)).toEqual(expected);
  });

  it('of an outer join decide about the side that may be missing only', () => {
    const left = 'select * from a left join b on b.a_id = a.id and a.x = 1 and b.x = 2 and b.gone is null';
    expect(predicates(left)).toEqual([
      '*b.a_id = a.id',
      'a.id = b.a_id',
      'a.x = "1"',
      '*b.x = "2"',
      '*b.gone is null none',
    ]);
    const full = 'select * from a full join b on b.a_id = a.id where b.gone is null and a.x = 1';
    expect(predicates(full)).toEqual(['b.a_id = a.id', 'a.id = b.a_id', 'b.gone is null none', '*a.x = "1"']);
  });

  it('of USING are joins', () => {
    expect(predicates('select * from a join b using (k)')).toEqual(['*a.k = b.k', '*b.k = a.k']);
  });
});

describe('the rest of a query', () => {
  it('gives ORDER BY with directions, ordinals and labels resolved', () => {
    const statement = analyseAfresh(
      'select a, lower(b) as l, c x from t order by 1 desc nulls last, l, x, d asc nulls first, a + d',
    );
    const shown = statement.orderBy.map((it) => `${it.text} ${it.direction} ${it.nulls}`);
    expect(shown).toEqual([
      'a desc last',
      'lower(b) asc null',
      'c asc null',
      'd asc first',
      '(a + d) asc null',
    ]);
  });

  it('gives GROUP BY, DISTINCT, LIMIT and OFFSET', () => {
    const statement = analyseAfresh(
      'select distinct a, count(*) from t group by a, rollup (b) limit $1 offset 20',
    );
    expect(statement.groupBy.map((it) => it.text)).toEqual(['a', 'b']);
    expect(statement.blocks[0]).toMatchObject({
      isDistinct: true,
      hasAggregates: true,
      role: 'main',
      parent: null,
    });
    expect(statement.blocks[0]?.limit).toEqual({ kind: 'parameter', number: 1, castTo: null });
    expect(statement.blocks[0]?.offset).toMatchObject({ kind: 'constant', value: '20' });
  });

  it('gives the select list, stars apart', () => {
    const statement = analyseAfresh('select *, b.*, a.x, y + 1 from a, b');
    expect(
      statement.selected.map(({ star, starReference, column }) => [star, starReference, column?.name]),
    ).toEqual([
      [true, null, undefined],
      [true, 1, undefined],
      [false, null, 'x'],
    ]);
  });

  it('gives functions, value functions, parameters and their gaps', () => {
    const statement = analyseAfresh(
      'select f(1, $4), s.g(), count(*), current_user from t where at < localtimestamp(2) and x = $2',
    );
    expect(statement.functions.map((it) => [it.name.schema, it.name.name, it.argumentCount])).toEqual([
      [null, 'f', 2],
      ['s', 'g', 0],
      [null, 'count', 0],
    ]);
    expect([...statement.sqlValueFunctions].sort()).toEqual(['current_user', 'localtimestamp']);
    expect([statement.parameterCount, statement.parameterGaps]).toEqual([4, [1, 3]]);
  });

  it('knows what EXPLAIN, PREPARE and cursors contain, and whether it runs', () => {
    const facts = (text: string) => {
      const { kind, inner, executesInner } = analyseAfresh(text);
      return [kind, inner, executesInner];
    };
    expect(facts('explain delete from t')).toEqual(['explain', 'delete', false]);
    expect(facts('explain analyze update t set a = 1')).toEqual(['explain', 'update', true]);
    expect(facts('prepare p as insert into t values (1)')).toEqual(['prepare', 'insert', false]);
    expect(facts('declare c cursor for select 1')).toEqual(['declare cursor', 'select', true]);
    expect(facts('copy (select 1) to stdout')).toEqual(['copy to', 'select', true]);
  });

  it.each([
    ['begin', 'begin'],
    ['start transaction', 'begin'],
    ['end', 'commit'],
    ['abort', 'rollback'],
    ['savepoint a', 'savepoint'],
    ['release a', 'release'],
    ['rollback to a', 'rollback to'],
    ['select 1', null],
  ])('takes "%s" for %s', (text, action) => {
    expect(analyseAfresh(text).transaction).toBe(action);
  });
});
