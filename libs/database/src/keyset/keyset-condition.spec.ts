import { conditionAfter, reversed, type KeysetOrder } from './keyset-condition.js';

const path: KeysetOrder = { expression: 'f.path', cast: 'text', direction: 'ASC' };
const time: KeysetOrder = { expression: 'f.at', cast: 'timestamptz', direction: 'DESC' };
const id: KeysetOrder = { expression: 'f.id', cast: 'uuid', direction: 'ASC' };
const dollar = (at: number) => `$${at + 3}`;

describe('conditionAfter', () => {
  it('compares rows when all keys point the same way', () => {
    expect(conditionAfter([path, id], dollar, false)).toBe(
      '(f.path, f.id) > (CAST($3 AS text), CAST($4 AS uuid))',
    );
    expect(conditionAfter(reversed([path, id]), dollar, true)).toBe(
      '(f.path, f.id) <= (CAST($3 AS text), CAST($4 AS uuid))',
    );
  });

  it('chains mixed directions behind a bound on the first key', () => {
    expect(conditionAfter([time, id], dollar, false)).toBe(
      '(f.at <= CAST($3 AS timestamptz) AND (f.at < CAST($3 AS timestamptz) OR ' +
        '(f.at = CAST($3 AS timestamptz) AND f.id > CAST($4 AS uuid))))',
    );
  });

  it('needs a key', () => {
    expect(() => conditionAfter([], dollar, false)).toThrow(RangeError);
  });
});
