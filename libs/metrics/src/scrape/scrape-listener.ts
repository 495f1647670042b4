import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Logger } from '@nestjs/common';
import { formatFor } from '../exposition/exposition-format.js';
import { MetricsListenerError } from '../metrics.errors.js';
import { type MetricsService } from '../metrics.service.js';
import { refusalOf } from './scrape-access.js';

/** Options of {@link listenForScrapes}. */
export interface ScrapeListenerOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** @default '/metrics' */
  readonly path?: string;
  /** The key that a scraper has to present as `Authorization: Bearer <key>`. @default none */
  readonly key?: string | undefined;
}

/** A listener that serves nothing but the figures. */
export interface ScrapeListener {
  /** Address of the figures, with the port that it got. */
  readonly url: string;
  /** Resolves when no scrape is running any more. */
  close(): Promise<void>;
}

/** A scraper that does not send its head, or does not take its answer, is cut off. */
const TIMEOUT_MS = 10_000;

const logger = new Logger('ScrapeListener');

/**
 * Serves the figures on a port of their own, so that the service's public port has none.
 *
 * @throws {MetricsListenerError} when the port cannot be listened on
 */
export async function listenForScrapes(
  metrics: MetricsService,
  { port, host = '127.0.0.1', path = '/metrics', key }: ScrapeListenerOptions,
): Promise<ScrapeListener> {
  const server = createServer(
    { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS },
    (request, response) => {
      void answer(metrics, { path, key }, request, response);
    },
  );
  server.setTimeout(TIMEOUT_MS);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new MetricsListenerError(host, port, { cause: error });
  }
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}${path}`, close: () => close(server) };
}

async function answer(
  metrics: MetricsService,
  { path, key }: { path: string; key: string | undefined },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [asked] = (request.url ?? '').split('?', 1);
  if (asked !== path) return refuse(response, 404, `The figures are at ${path}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405, 'The figures are read with GET');
  }
  const refusal = refusalOf(request, { key, localOnly: false });
  if (refusal) {
    if (refusal.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    return refuse(response, refusal.status, refusal.detail);
  }
  try {
    const { contentType, chunks, bytes } = await metrics.page(formatFor(request.headers.accept));
    response.setHeader('Content-Type', contentType);
    response.setHeader('Content-Length', bytes);
    response.setHeader('Cache-Control', 'no-store');
    await pipeline(request.method === 'HEAD' ? [] : Readable.from(chunks), response);
  } catch (error) {
    // The scraper left, or the page could not be made; the next scrape comes by itself.
    logger.warn(`A scrape got no answer: ${String(error)}`);
    if (response.headersSent) response.destroy();
    else refuse(response, 500, 'The figures could not be read');
  }
}

/** Problem details, RFC 9457. */
function refuse(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail }));
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}
