import { DatabaseOptionsError } from './database.errors.js';
import { parseDatabaseOptions } from './database.options.js';

describe('parseDatabaseOptions', () => {
  it('fills in the defaults and freezes the result', () => {
    const options = parseDatabaseOptions({ url: 'postgres://ann@db/shop' });
    expect(options).toEqual({
      url: 'postgres://ann@db/shop',
      entities: [],
      migrations: [],
      applicationName: 'peregrine',
      poolMax: 10,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 0,
      startTimeoutMs: 30_000,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it('reports all problems at once and never the url', () => {
    const wrong = { url: 'mysql://ann:s3cret@db', poolMax: 0, pool: 3 };
    expect(() => parseDatabaseOptions(wrong)).toThrow(DatabaseOptionsError);
    expect(() => parseDatabaseOptions(wrong)).toThrow(/url: [^]*poolMax: [^]*"pool"/);
    expect(() => parseDatabaseOptions(wrong)).not.toThrow(/s3cret/);
  });
});
