import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import fastifyStatic from '@fastify/static';
import express from 'express';
import fastify, { type FastifyInstance } from 'fastify';
import sirv from 'sirv';

import { LARGE_FILE, SMALL_FILE } from '../fixture.ts';
import type { ServerId } from './contract.ts';
import { COUNT_REQUESTS, type NodeServerFigures } from './node-server-figures.ts';

const { Origin, registerOrigin } = await import('@peregrine/cdn');

const [server = '', root = ''] = process.argv.slice(2);

const START: Readonly<Partial<Record<ServerId, () => Server | Promise<Server>>>> = {
  'node-http': () => createServer(fromMemory()),
  peregrine: () => createServer(new Origin({ root }).listener),
  'peregrine-fastify': () => withFastify((app) => registerOrigin(app, new Origin({ root }))),
  sirv: () => createServer(sirv(root, { etag: true, brotli: true, gzip: true })),
  'fastify-static': () =>
    withFastify((app) => void app.register(fastifyStatic, { root, preCompressed: true, maxAge: 3_600_000 })),
  'express-static': () => createServer(express().use(express.static(root, { maxAge: 3_600_000 }))),
};

const start = START[server as ServerId];
if (!start) throw new Error(`There is no server ${server}`);
const http = await start();
// Counted for the process of the edge alone: a listener more would weigh on every answer that is measured.
let requests = 0;
if (process.argv[4] === COUNT_REQUESTS) http.on('request', () => requests++);
http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicroseconds: user + system, requests } satisfies NodeServerFigures);
});
process.send?.((http.address() as AddressInfo).port);

/** The floor: two known contents with fixed headers, no path and no negotiation looked at. */
function fromMemory(): RequestListener {
  const answerOf = (name: string) => {
    const body = readFileSync(join(root, name));
    const etag = `"${name}"`;
    const headers = { ETag: etag, 'Cache-Control': 'public, max-age=3600' };
    const full = { ...headers, 'Content-Type': 'application/octet-stream', 'Content-Length': body.length };
    return { body, etag, headers, full };
  };
  const [small, large] = [answerOf(SMALL_FILE), answerOf(LARGE_FILE)];
  return (request, response) => {
    const { body, etag, headers, full } = request.url === `/${LARGE_FILE}` ? large : small;
    if (request.headers['if-none-match'] === etag) response.writeHead(304, headers).end();
    else response.writeHead(200, full).end(body);
  };
}

async function withFastify(register: (app: FastifyInstance) => void): Promise<Server> {
  const app = fastify();
  register(app);
  await app.ready();
  return app.server;
}
