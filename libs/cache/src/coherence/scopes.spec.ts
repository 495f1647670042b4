import { describe, expect, it } from '@jest/globals';
import { dependencies, FLUSH_SCOPE, keyScope, namespaceScope, tagScope, widen } from './scopes.js';

describe('scopes', () => {
  it('makes an entry depend on everything, its namespace, and each tag once here and once anywhere', () => {
    expect(dependencies('content', ['a:b', 'a:b'])).toEqual(['f', 'n:content', 't::a:b', 't:content:a:b']);
  });

  it('widens keys and tags to their namespace, and what is wider stays', () => {
    expect(widen(keyScope('content:a:b'))).toBe(namespaceScope('content'));
    expect(widen(tagScope('content', 't'))).toBe(namespaceScope('content'));
    expect(widen(tagScope('', 't'))).toBe(FLUSH_SCOPE);
    expect(widen(namespaceScope('content'))).toBe(namespaceScope('content'));
    expect(widen(FLUSH_SCOPE)).toBe(FLUSH_SCOPE);
  });
});
