import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let gc: (() => void) | undefined;

/**
 * A major collection now. It holds up the event loop, about a millisecond for each megabyte that is in use. A process that
 * refuses work allocates nothing, so V8 would never collect what was let go of.
 */
export function collectGarbage(): void {
  if (gc === undefined) {
    // The function exists only in contexts that are made while the flag is on.
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  gc();
}
