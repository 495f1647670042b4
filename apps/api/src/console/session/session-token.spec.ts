import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SessionTokens } from './session-token.js';

const SECRET = 'a-secret-of-the-tests-of-sessions';
const KEY_ID = '018f5b7e-0000-7000-8000-000000000001';
const MINUTE = 60_000;

function setUp(secret = SECRET) {
  const clock = { now: 1_000_000_000_000 };
  return { clock, tokens: new SessionTokens(secret, 30 * MINUTE, () => clock.now) };
}

describe('a session', () => {
  it('is read back as it was started, until it is over', () => {
    const { tokens, clock } = setUp();
    const session = tokens.start(KEY_ID);
    const cookie = tokens.encode(session);
    expect(tokens.decode(cookie)).toEqual(session);
    clock.now += 30 * MINUTE;
    expect(tokens.decode(cookie)).toBeUndefined();
  });

  it('is renewed from now on, but not beyond half a day', () => {
    const { tokens, clock } = setUp();
    const session = tokens.start(KEY_ID);
    clock.now += 20 * MINUTE;
    expect(tokens.renew(session).expiresAt).toBe(clock.now + 30 * MINUTE);
    clock.now += 12 * 60 * MINUTE;
    expect(tokens.decode(tokens.encode(tokens.renew(session)))).toBeUndefined();
  });

  it('is taken from nobody else', () => {
    const { tokens } = setUp();
    const cookie = setUp('another-secret-of-the-same-length').tokens.encode(tokens.start(KEY_ID));
    expect(tokens.decode(cookie)).toBeUndefined();
    expect(tokens.decode(undefined)).toBeUndefined();
    expect(tokens.decode('x'.repeat(5_000))).toBeUndefined();
  });

  it('does not survive a change of any character', () => {
    const { tokens } = setUp();
    const cookie = tokens.encode(tokens.start(KEY_ID));
    fc.assert(
      fc.property(fc.nat(cookie.length - 1), fc.constantFrom('A', 'b', '_', '.', ''), (at, character) => {
        const changed = cookie.slice(0, at) + character + cookie.slice(at + 1);
        expect(changed === cookie || tokens.decode(changed) === undefined).toBe(true);
      }),
    );
  });

  it('has a CSRF token of its own', () => {
    const { tokens } = setUp();
    const [session, other] = [tokens.start(KEY_ID), tokens.start(KEY_ID)];
    expect(tokens.isCsrfTokenOf(session, tokens.csrfTokenOf(session))).toBe(true);
    expect(tokens.isCsrfTokenOf(session, tokens.csrfTokenOf(other))).toBe(false);
    expect(tokens.isCsrfTokenOf(session, undefined)).toBe(false);
    expect(tokens.isCsrfTokenOf(session, tokens.encode(session).split('.')[1])).toBe(false);
  });
});
