import { describe, expect, it } from '@jest/globals';
import { type FastifyRequest } from 'fastify';
import { digestOf, presentedKey } from './presented-key.js';

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
});
