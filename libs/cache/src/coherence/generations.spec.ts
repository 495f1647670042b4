import { describe, expect, it } from '@jest/globals';
import { Generations } from './generations.js';
import { dependencies, FLUSH_SCOPE, keyScope, namespaceScope, tagScope, type Scope } from './scopes.js';

describe('Generations', () => {
  const key = keyScope('content:k');
  const make = () => {
    const generations = new Generations(['content', 'search']);
    const slots = generations.tagSlots(dependencies('content', ['red', 'blue']));
    return { generations, moved: (at: number) => generations.moved('content', key, slots, at) };
  };

  it.each<[string, Scope]>([
    ['the key', key],
    ['a tag here', tagScope('content', 'red')],
    ['a tag anywhere', tagScope('', 'blue')],
    ['the namespace', namespaceScope('content')],
    ['everything', FLUSH_SCOPE],
  ])('overtakes loads from before when %s is raised, and none from after', (_, scope) => {
    const { generations, moved } = make();
    const before = generations.now();
    generations.raise(scope);
    expect(moved(before)).toBe(true);
    expect(moved(generations.now())).toBe(false);
  });

  it.each<[string, Scope]>([
    ['another key', keyScope('content:other')],
    ['another tag', tagScope('content', 'green')],
    ['the same tag elsewhere', tagScope('search', 'red')],
    ['another namespace', namespaceScope('search')],
    ['a namespace that is unknown here', namespaceScope('foreign')],
  ])('is not moved by %s', (_, scope) => {
    const { generations, moved } = make();
    const before = generations.now();
    generations.raise(scope);
    expect(moved(before)).toBe(false);
  });

  it('suspects what was noted before messages may have been missed, and nothing after', () => {
    const { generations, moved } = make();
    const before = generations.now();
    expect(generations.suspectedSince(before)).toBe(false);
    generations.suspect();
    expect(generations.suspectedSince(before)).toBe(true);
    expect(generations.suspectedSince(generations.now())).toBe(false);
    expect(moved(before)).toBe(true);
    expect(moved(generations.now())).toBe(false);
  });

  it('overtakes the loads of a namespace that was declared later', () => {
    const generations = new Generations([]);
    generations.declare('late');
    const before = generations.now();
    generations.raise(namespaceScope('late'));
    generations.declare('late');
    expect(generations.moved('late', keyScope('late:k'), undefined, before)).toBe(true);
  });

  it('has no tag slots for an entry without tags', () => {
    expect(make().generations.tagSlots(dependencies('content', []))).toBeUndefined();
  });
});
