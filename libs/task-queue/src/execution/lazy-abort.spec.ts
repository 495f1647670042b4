import { describe, expect, it } from '@jest/globals';
import { LazyAbort } from './lazy-abort.js';

describe('a lazy abort', () => {
  const reason = new Error('enough');

  it('tells its listeners once, and those that were removed not at all', () => {
    const abort = new LazyAbort();
    const calls: string[] = [];
    const removed = () => calls.push('removed');
    abort.addEventListener('abort', () => calls.push('kept'));
    abort.addEventListener('abort', removed);
    abort.removeEventListener('abort', removed);
    abort.abort(reason);
    abort.abort(new Error('again'));
    expect(calls).toEqual(['kept']);
    expect(abort.reason).toBe(reason);
    expect(() => abort.throwIfAborted()).toThrow(reason);
  });

  it.each(['before', 'after'])('gives a signal that was asked for %s the abort', (when) => {
    const abort = new LazyAbort();
    const early = when === 'before' ? abort.signal : undefined;
    expect(early?.aborted ?? false).toBe(false);
    abort.abort(reason);
    expect(abort.signal.aborted).toBe(true);
    expect(abort.signal.reason).toBe(reason);
    expect(early ?? abort.signal).toBe(abort.signal);
  });
});
