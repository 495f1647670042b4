import { type ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';

/**
 * What Node keeps of a response before it is sent. None of it is documented: what looks otherwise than here is sent in
 * Node's own way, which costs about a tenth more: ADR 0016.
 */
interface ResponseInside {
  /** The head as text; null until it is made. */
  _header: string | null;
  _hasBody: boolean;
  readonly _keepAliveTimeout: number;
  readonly _maxRequestsPerSocket: number;
  readonly maxRequestsOnConnectionReached: boolean;
  readonly shouldKeepAlive: boolean;
  readonly sendDate: boolean;
}

/** The head of an answer, checked and made in advance up to what Node adds to it. */
export class HeaderBlock {
  readonly #text: string;
  /** As it was last sent: the same for a second, on connections with the same time to live. */
  #head = '';
  #date = '';
  #keepAliveMs: number | undefined;

  /**
   * @param headers names and values in turn
   * @throws {TypeError} on what no header may be
   */
  constructor(status: number, headers: readonly string[]) {
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    for (let i = 0; i < headers.length; i += 2) {
      const [name = '', value = ''] = [headers[i], headers[i + 1]];
      validateHeaderName(name);
      validateHeaderValue(name, value);
      text += `${name}: ${value}\r\n`;
    }
    this.#text = text;
  }

  /** @param keepAliveMs of the server; 0 names no time */
  headFor(keepAliveMs: number): string {
    const date = currentDate();
    if (date !== this.#date || keepAliveMs !== this.#keepAliveMs) {
      const keepAlive = keepAliveMs === 0 ? '' : `Keep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n`;
      this.#head = `${this.#text}Date: ${date}\r\nConnection: keep-alive\r\n${keepAlive}\r\n`;
      this.#date = date;
      this.#keepAliveMs = keepAliveMs;
    }
    return this.#head;
  }
}

/**
 * Gives a response its head without making it line by line.
 *
 * @returns false when this response needs Node's own way: the connection is to end, or somebody has set headers
 */
export function setHeaderBlock(response: ServerResponse, status: number, block: HeaderBlock): boolean {
  const inside = response as unknown as ResponseInside;
  if (inside._header !== null || !isOrdinary(inside) || response.getHeaderNames().length > 0) return false;
  response.statusCode = status;
  if (status === 304) inside._hasBody = false;
  inside._header = block.headFor(inside._keepAliveTimeout);
  return true;
}

function isOrdinary(inside: ResponseInside): boolean {
  return (
    inside.shouldKeepAlive &&
    inside.sendDate &&
    !inside.maxRequestsOnConnectionReached &&
    // Absent where no limit was set.
    !inside._maxRequestsPerSocket &&
    typeof inside._keepAliveTimeout === 'number'
  );
}

let dateText = '';
let dateUntilMs = 0;

/** For the header Date, which counts in seconds. */
function currentDate(): string {
  const nowMs = Date.now();
  if (nowMs >= dateUntilMs || nowMs < dateUntilMs - 1_000) {
    dateText = new Date(nowMs).toUTCString();
    dateUntilMs = nowMs - (nowMs % 1_000) + 1_000;
  }
  return dateText;
}
