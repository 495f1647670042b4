import { describe, expect, it } from '@jest/globals';
import { type NPlusOneFinding } from '@peregrine/query-optimizer';
import { LoopWarnings } from './loop-warnings.js';

const finding: NPlusOneFinding = {
  scope: 'GET /authors',
  fingerprint: 'a1',
  sql: 'SELECT * FROM book WHERE author_id = $1',
  where: 'booksOf (library.ts:12:5)',
  frames: [],
  count: 7,
  durationMs: 3,
  table: 'book',
  column: 'author_id',
  parent: null,
  rewrite: 'SELECT * FROM book WHERE author_id = ANY($1)',
};

describe('warnings of queries in a loop', () => {
  it('name the line and the rewrite, once a place', () => {
    const lines: string[] = [];
    const warnings = new LoopWarnings({ warn: (line: string) => lines.push(line) });
    warnings.warn(finding);
    warnings.warn({ ...finding, scope: 'GET /elsewhere', count: 9 });
    warnings.warn({ ...finding, where: 'booksOf (library.ts:40:5)' });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('library.ts:12:5');
    expect(lines[0]).toContain('author_id = ANY($1)');
    expect(lines[1]).toContain('library.ts:40:5');
  });
});
