import type { WireError } from './embedded.errors.js';
import type { ParsedEmbeddedOptions } from './embedded.options.js';

/** The options without what cannot cross a process boundary. */
export type ServerOptions = Omit<ParsedEmbeddedOptions, 'onLog'>;

/** Owner to server process. */
export type OwnerMessage =
  { readonly type: 'start'; readonly options: ServerOptions } | { readonly type: 'stop' };

/** How the server ended. `expected` is true after `stop()`. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly expected: boolean;
}

/** Server process to owner. */
export type ServerMessage =
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready'; readonly port: number; readonly pid: number; readonly password: string }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'exited'; readonly exit: ServerExit };
