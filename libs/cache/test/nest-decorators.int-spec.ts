import { afterEach, describe, expect, it } from '@jest/globals';
import { currentLoad } from '../src/nest/cached-method.js';
import { Applications, type Articles } from './nest-articles.js';

describe('the decorators', () => {
  const apps = new Applications();
  afterEach(() => apps.close());

  it('run the method once for all who call together, and later calls not at all', async () => {
    const it = await apps.articles();
    const all = await Promise.all(Array.from({ length: 20 }, () => it.find('1')));
    expect(new Set(all)).toEqual(new Set([{ id: '1', text: 'old', runs: 1 }]));
    expect(await it.throughThis('1')).toBe(await it.find('1'));
    expect((await it.find('2')).runs).toBe(2);
  });

  it('make a key of the arguments when none is given', async () => {
    const it = await apps.articles();
    const first = await it.search(['a', 'b'], { language: 'de', page: 1 });
    expect(await it.search(['a', 'b'], { page: 1, language: 'de' })).toBe(first);
    expect(await it.search(['a,b'], { page: 1, language: 'de' })).not.toBe(first);
    expect(await it.search(['a'])).toBe(await it.search(['a'], undefined));
    await expect(it.withFunction(() => undefined)).rejects.toMatchObject({
      code: 'CACHE_KEY',
      message: expect.stringMatching(/Articles\.withFunction.*function.*"key"/),
    });
  });

  it('put what a method returned into the place of the old value', async () => {
    const it = await apps.articles();
    await it.find('1');
    expect(await it.write('1', 'new')).toMatchObject({ text: 'new' });
    expect(await it.write('1', 'newer')).toMatchObject({ text: 'newer' });
    expect(await it.find('1')).toMatchObject({ text: 'newer', runs: 3 });
  });

  it.each<[string, (it: Articles) => Promise<unknown>]>([
    ['key', (it) => it.remove('1')],
    ['keys', (it) => it.removeMany(['0', '1'])],
    ['keys, before a failure', (it) => it.removeMany(['1'], new Error('half done')).catch(() => undefined)],
    ['tag', (it) => it.removeTagged()],
    ['namespace', (it) => it.removeAll(true)],
  ])('evict by %s', async (_, evict) => {
    const it = await apps.articles();
    const { runs } = await it.find('1');
    await evict(it);
    expect((await it.find('1')).runs).toBeGreaterThan(runs);
  });

  it('evict by the content that a value was made from', async () => {
    const it = await apps.articles();
    expect([await it.render('h1'), await it.render('h2')]).toEqual([1, 2]);
    await it.contentChanged('h1');
    expect([await it.render('h1'), await it.render('h2')]).toEqual([3, 2]);
  });

  it('evict nothing when the method fails or the condition says no', async () => {
    const it = await apps.articles();
    const first = await it.find('1');
    await expect(it.remove('1', new Error('refused'))).rejects.toThrow('refused');
    await it.removeAll(false);
    expect(await it.find('1')).toBe(first);
    expect(await it.remove('1')).toBe('removed');
  });

  it('go past the cache without a key, and when the condition says no', async () => {
    const it = await apps.articles();
    expect([await it.sometimes('none'), await it.sometimes('none')]).toEqual([1, 2]);
    expect([await it.sometimes('skip'), await it.sometimes('skip')]).toEqual([3, 4]);
    expect([await it.sometimes('a'), await it.sometimes('a')]).toEqual([5, 5]);
  });

  it('give the method what a loader gets', async () => {
    const it = await apps.articles();
    expect([await it.shortLived('kept'), await it.shortLived('kept')]).toEqual([1, 1]);
    expect([await it.shortLived('not'), await it.shortLived('not')]).toEqual([2, 3]);
    expect(currentLoad()).toBeUndefined();
  });

  it('stack on one method', async () => {
    const it = await apps.articles();
    await it.find('1');
    expect([await it.stacked('1'), await it.stacked('1')]).toEqual([2, 2]);
    expect(await it.find('1')).toMatchObject({ runs: 3 });
  });

  it('reject, and do not throw, whatever fails', async () => {
    const it = await apps.articles();
    await expect(it.failing('a')).rejects.toThrow('before the first await');
    await expect(it.failing(undefined as never)).rejects.toThrow(TypeError);
  });
});
