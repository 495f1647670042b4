import { describe, expect, it } from '@jest/globals';
import { type FastifyRequest } from 'fastify';
import { digestOf, presentedKey, rememberKey } from './presented-key.js';

const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;

describe('the API key of a request', () => {
  it.each([
    ['a bearer', { authorization: 'Bearer abc' }, 'abc', 'abc'],
    ['a bearer in any case, with spaces', { authorization: 'bEARER   abc' }, 'abc', 'abc'],
    ['a header of its own', { 'x-api-key': 'abc' }, 'abc', 'abc'],
    ['both: the bearer', { authorization: 'Bearer abc', 'x-api-key': 'def' }, 'abc', 'abc'],
    ['the password of any name', { authorization: basic('me:abc:d') }, undefined, 'abc:d'],
    ['a login and a header', { authorization: basic('me:abc'), 'x-api-key': 'def' }, 'def', 'abc'],
    ['two words', { authorization: 'Bearer abc def' }, undefined, undefined],
    ['a tab for a space', { authorization: 'Bearer a\tbc' }, undefined, undefined],
    ['nothing', {}, undefined, undefined],
    ['nothing in its header', { 'x-api-key': '' }, undefined, undefined],
  ])('is found in %s', (_, headers, inHeader, inLogin) => {
    const request = { headers } as unknown as FastifyRequest;
    const digest = (key: string | undefined) => (key === undefined ? undefined : digestOf(key));
    expect(presentedKey(request)?.digest).toBe(digest(inHeader));
    expect(presentedKey(request, { password: true })?.digest).toBe(digest(inLogin));
  });

  it('is looked for once', () => {
    const request = { headers: { authorization: 'Bearer abc' } } as FastifyRequest;
    expect(presentedKey(request)).toBe(presentedKey(request, { password: true }));
    expect(presentedKey(request)?.length).toBe(3);
  });

  it('is found anew by each request until its caller was let in', () => {
    const ask = (headers: Record<string, string>) => {
      const request = { headers } as unknown as FastifyRequest;
      return { request, key: presentedKey(request) };
    };
    const bearer = { authorization: 'Bearer remembered' };
    const first = ask(bearer);
    expect(ask(bearer).key).not.toBe(first.key);
    rememberKey(first.request);
    expect(ask(bearer).key).toBe(first.key);
    expect(ask({ ...bearer, 'x-api-key': 'other' }).key).toBe(first.key);
    expect(ask({ authorization: 'Bearer Remembered' }).key?.digest).toBe(digestOf('Remembered'));
  });

  it('is not remembered by a login, beside which other headers count', () => {
    const authorization = basic('me:abc');
    const request = { headers: { authorization, 'x-api-key': 'def' } } as unknown as FastifyRequest;
    presentedKey(request);
    rememberKey(request);
    expect(presentedKey({ headers: { authorization } } as FastifyRequest)).toBeUndefined();
  });
});
