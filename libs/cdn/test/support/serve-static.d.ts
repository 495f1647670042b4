/** The little of serve-static that is compared with; its types are no package of this repository. */
declare module 'serve-static' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export default function serveStatic(
    root: string,
    options?: object,
  ): (request: IncomingMessage, response: ServerResponse, next: (error?: Error) => void) => void;
}
