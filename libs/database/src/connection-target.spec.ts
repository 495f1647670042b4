import { describeConnection } from './connection-target.js';

describe('describeConnection', () => {
  it('names user, host, port and database, and never the password or a parameter', () => {
    expect(describeConnection('postgres://ann:s3cret@db.example:6000/shop?sslkey=s3cret')).toBe(
      'postgres://ann@db.example:6000/shop',
    );
  });

  it('fills in the port and the database that PostgreSQL would take', () => {
    expect(describeConnection('postgresql://ann@db')).toBe('postgres://ann@db:5432/ann');
  });

  it('says nothing of a text that is no url', () => {
    expect(describeConnection('ann:s3cret@db')).not.toContain('s3cret');
    expect(describeConnection('s3cret')).toBe('an invalid connection url');
  });
});
