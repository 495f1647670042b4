import { beforeAll, describe, expect, it } from '@jest/globals';

import { analyseAfresh } from './analyse.js';
import { loadAnalyser } from './parser.js';
import { CORPUS } from './statement-corpus.fixture.js';

beforeAll(() => loadAnalyser());

const plain = ({ schema, name }: { schema: string | null; name: string }) =>
  schema === null ? name : `${schema}.${name}`;

describe.each(CORPUS)('$title', ({ statements }) => {
  it.each(statements)('%s', (text, kind, reads, writes = '') => {
    const statement = analyseAfresh(text);
    expect({
      kind: statement.kind,
      reads: statement.reads.map(plain).join(' '),
      writes: statement.writes.map((it) => `${it.operations.join('+')}:${plain(it.relation)}`).join(' '),
    }).toEqual({ kind, reads, writes });
  });
});

it('covers at least 150 texts', () => {
  expect(CORPUS.flatMap((it) => it.statements).length).toBeGreaterThanOrEqual(150);
});
