import { beforeAll, describe, expect, it } from '@jest/globals';

import { analyseAfresh } from './analyse.js';
import { loadAnalyser } from './parser.js';
import { sessionChangeOf } from './session-change.js';

describe('what a statement leaves behind in its session', () => {
  beforeAll(() => loadAnalyser());

  it.each([
    ['select 1', 'none'],
    ['set transaction isolation level serializable', 'none'],
    [' SET TRANSACTION READ ONLY', 'none'],
    ['set constraints all deferred', 'names'],
    ["set local work_mem = '8MB'", 'none'],
    ['set local app.tenant to 7', 'none'],
    ["set work_mem = '8MB'", 'settings'],
    ['set session statement_timeout to 5', 'settings'],
    ['set "app"."tenant" = 7', 'names'],
    ['set app.tenant = 7', 'settings'],
    ['set search_path = a, b', 'names'],
    ['set local search_path to a', 'names'],
    ['SET "Search_Path" = a', 'names'],
    ["set schema 'a'", 'names'],
    ['set role ann', 'names'],
    ['set local role ann', 'names'],
    ['set session authorization ann', 'names'],
    ['reset all', 'names'],
    ['reset work_mem', 'names'],
    ['discard all', 'names'],
    [
      "select set_config('idle_in_transaction_session_timeout', '30000', true), pg_try_advisory_xact_lock(1)",
      'none',
    ],
    ["select set_config('app.tenant', $1, true)", 'none'],
    ["select set_config('app.tenant', $1, false)", 'settings'],
    ["select set_config('app.tenant', $1, $2)", 'settings'],
    ["select set_config('app.tenant', (select 'a)'), true)", 'settings'],
    ["select set_config('search_path', 'a', true)", 'names'],
    ["select set_config('ROLE', 'a', true)", 'names'],
    ['select set_config($1, $2, true)', 'names'],
    ["select set_config($1, $2, false) -- set_config('a.b', '', true)", 'names'],
    ["select set_config('a.b', '1', true), set_config('c.d', '1', true)", 'names'],
  ])('of %s is: %s', (sql, change) => {
    expect(sessionChangeOf(analyseAfresh(sql))).toBe(change);
  });
});
