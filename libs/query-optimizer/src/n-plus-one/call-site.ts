import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

/** Where in the application a query comes from. */
export interface CallSite {
  /** The innermost frame of the application, `function (file:line:column)`. */
  readonly where: string;
  /** All frames of the application, innermost first. */
  readonly frames: readonly string[];
  /** Equal for two calls that came the same way, however deep a recursion was. */
  readonly key: string;
}

const FRAMES = 50;
const OWN = fileURLToPath(new URL('..', import.meta.url));

/** Reads the stack of the caller; tens of microseconds. Null when no frame of the application is on it. */
export function callSite(): CallSite | null {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const frames = callSites()
    .map((it, index) => ({ file: it.getFileName(), index }))
    .filter(({ file }) => file !== null && file !== undefined && isApplication(file))
    .map(({ index }) => index);
  const lines = stackLines();
  Error.stackTraceLimit = limit;
  return toCallSite(frames.map((it) => lines[it] ?? ''));
}

function toCallSite(frames: readonly string[]): CallSite | null {
  const [where] = frames;
  if (where === undefined) return null;
  // A tree walk comes the same way at every depth.
  const key = createHash('sha256')
    .update([...new Set(frames)].join('\n'))
    .digest('base64url')
    .slice(0, 16);
  return { where, frames, key };
}

/** With the names of the files that run: source maps of dependencies lead to files that do not exist. */
function callSites(): readonly NodeJS.CallSite[] {
  // Only put back, never called.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (_error, sites) => sites;
  const holder: { stack?: unknown } = {};
  Error.captureStackTrace(holder, callSite);
  const sites = holder.stack as readonly NodeJS.CallSite[];
  Error.prepareStackTrace = prepareStackTrace;
  return sites;
}

/** The same frames for a person, source maps applied. */
function stackLines(): string[] {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callSite);
  const lines = (holder.stack ?? '').split('\n').filter((it) => /^\s+at /.test(it));
  return lines.map((it) => it.replace(/^\s+at (?:async )?/, '').replace('file://', ''));
}

function isApplication(file: string): boolean {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  return !path.startsWith('node:') && !path.includes('/node_modules/') && !path.startsWith(OWN);
}
