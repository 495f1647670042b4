// Loaded with --import into the apps of a soak: a major collection every two seconds, so that the heap that is left shows
// what is kept, and garbage does not look like growth.
import { setInterval } from 'node:timers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
setInterval(() => collect(), 2_000).unref();
