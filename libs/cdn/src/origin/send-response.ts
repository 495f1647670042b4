import type { ServerResponse } from 'node:http';
import { setHeaderBlock } from './header-block.js';
import type { OriginResponse } from './origin-response.js';

/** Writes an answer to a response of Node. Resolves when a body from the disk is sent, or the client has gone. */
export function sendResponse(target: ServerResponse, response: OriginResponse): Promise<void> | void {
  const { status, headers, block, body } = response;
  if (block === undefined || !setHeaderBlock(target, status, block)) target.writeHead(status, headers);
  if (body === undefined) target.end();
  else if (Buffer.isBuffer(body)) target.end(body);
  else return body.sendTo(target);
}
