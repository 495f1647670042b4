import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { redact, redactText } from './redaction.js';

describe('redactText', () => {
  it.each([
    ['postgres://user:hunter2@host:5432/db', 'postgres://user:[redacted]@host:5432/db'],
    ['redis://:p@ss:word@host', 'redis://:[redacted]@host'],
    ['see https://host/a?token=hunter2&b=1', 'see https://host/a?token=[redacted]&b=1'],
    ['GET /a?key=hunter2&x=1', 'GET /a?key=[redacted]&x=1'],
    ['aws_secret_access_key=hunter2', 'aws_secret_access_key=[redacted]'],
    ['X-Amz-Signature=hunter2&x=1', 'X-Amz-Signature=[redacted]&x=1'],
    ['host=a password=hunter2 dbname=b', 'host=a password=[redacted] dbname=b'],
    ['Authorization: Bearer abcdefghijklmnop.q', 'Authorization: Bearer [redacted]'],
    [`key pgn_${'a'.repeat(43)} is unknown`, 'key [redacted] is unknown'],
  ])('takes the secret out of %s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each([
    'http://host:3000/a@b',
    'GET /files/a:b@c',
    'monkey=1 of 2',
    'cache key=a:b',
    '12 tokens, basic checks',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('is done with what looks like secrets without end', () => {
    for (const text of ['a', 'a://', 'a:', '://a:', 'pgn_', 'bearer ', 'key-']) {
      const endless = text.repeat(20_000);
      expect(redactText(endless).length).toBeGreaterThan(0);
    }
  });
});

describe('redact', () => {
  it('takes values away under the names of secrets, at any depth, and keeps the rest', () => {
    const message = {
      headers: { authorization: 'a', Cookie: 'b', 'set-cookie': ['c'], 'X-Api-Key': 'd', accept: 'e' },
      settings: [{ secretAccessKey: 'f', accessKeyId: 'g', cursorSecret: 'h', dbPassword: 'i' }],
      apiKeyId: 'j',
      tokens: 12,
      at: new Date(0),
    };
    expect(redact(message)).toEqual({
      headers: {
        authorization: '[redacted]',
        Cookie: '[redacted]',
        'set-cookie': '[redacted]',
        'X-Api-Key': '[redacted]',
        accept: 'e',
      },
      settings: [
        {
          secretAccessKey: '[redacted]',
          accessKeyId: 'g',
          cursorSecret: '[redacted]',
          dbPassword: '[redacted]',
        },
      ],
      apiKeyId: 'j',
      tokens: 12,
      at: new Date(0),
    });
    expect(message.headers.authorization).toBe('a');
  });

  it('cleans an error with its stack, its cause and its fields, and leaves the error itself alone', () => {
    const cause = new Error('to redis://:hunter2@host');
    const error = Object.assign(new TypeError('to postgres://u:hunter2@host', { cause }), {
      code: 'E',
      password: 'hunter2',
    });
    const cleaned = redact(error) as typeof error;
    expect(cleaned).toBeInstanceOf(TypeError);
    expect(cleaned).toMatchObject({ message: 'to postgres://u:[redacted]@host', code: 'E' });
    expect(inspect(cleaned, { depth: 9 })).not.toContain('hunter2');
    expect(error.message).toContain('hunter2');
  });

  it('looks into objects of any class, maps and sets, and leaves dates and bytes alone', () => {
    class Connection {
      readonly host = 'shown';
      constructor(readonly password: string) {}
    }
    const copied = redact({
      connection: new Connection('hunter2'),
      map: new Map([
        ['token', 'hunter2'],
        ['a', 'shown'],
      ]),
      set: new Set(['redis://:hunter2@host']),
      url: new URL('https://user:hunter2@host/'),
      date: new Date(0),
      bytes: Buffer.from('x'),
    }) as { connection: Connection; date: Date; bytes: Buffer };
    const shown = inspect(copied, { depth: 9 });
    expect(shown).not.toContain('hunter2');
    expect(shown.match(/shown/g)).toHaveLength(2);
    expect(copied.connection).toBeInstanceOf(Connection);
    expect([copied.date, copied.bytes]).toEqual([new Date(0), Buffer.from('x')]);
  });

  it('ends at circles', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(redact(circle)).toEqual({ self: '[redacted]' });
  });
});
