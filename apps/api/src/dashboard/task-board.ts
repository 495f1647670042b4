import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import { ForbiddenException, MethodNotAllowedException, UnauthorizedException } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { presentedKey } from '@peregrine/runtime';
import { BullQueue } from '@peregrine/task-queue';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiKeyService } from '../access/api-key.service.js';
import { replyWithProblem } from '../problem/problem.reply.js';
import { TaskBoardAdapter } from './task-board-adapter.js';

export const TASK_BOARD_PATH = '/admin/queues';

/** Between two looks of an open board. */
const POLL_SECONDS = 10;
const READING: readonly string[] = ['GET', 'HEAD'];

const SECURITY_HEADERS = {
  // Its page has styles of its own, and asks another host for its font, which it does without.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  // What it shows is for this caller and this moment.
  'Cache-Control': 'no-store',
} as const;

/**
 * Bull Board on the queue, for operators: a key with the scope admin, in a browser as the password of the login. It
 * changes nothing; the API does that, with the steps of the library.
 */
export async function registerTaskBoard(app: NestFastifyApplication): Promise<void> {
  const apiKeys = app.get(ApiKeyService, { strict: false });
  const { adapter, attachQueue } = createBoard(app.get(BullQueue, { strict: false }));

  await app
    .getHttpAdapter()
    .getInstance()
    .register(
      async (board) => {
        board.addHook('onRequest', async (request, reply) => {
          void reply.headers(SECURITY_HEADERS);
          try {
            await assertMayLook(apiKeys, request, reply);
            await attachQueue();
          } catch (error) {
            replyWithProblem(error, request, reply);
            return reply;
          }
        });
        await board.register(adapter.registerPlugin());
      },
      { prefix: TASK_BOARD_PATH },
    );
}

/** The board, which gets its queue with the first request that finds the store there. */
function createBoard(bull: BullQueue): { adapter: FastifyAdapter; attachQueue: () => Promise<void> } {
  const adapter = new FastifyAdapter().setBasePath(TASK_BOARD_PATH);
  const uiConfig = {
    boardTitle: 'Peregrine tasks',
    pollingInterval: { forceInterval: POLL_SECONDS },
    // BullMQ finds workers by the names of their connections, which are ours and have none.
    showWorkers: false,
  };
  const { addQueue } = createBullBoard({ queues: [], serverAdapter: adapter, options: { uiConfig } });
  let isAttached = false;
  return {
    adapter,
    attachQueue: async () => {
      if (isAttached) return;
      const queue = await bull.get();
      if (!queue || isAttached) return;
      addQueue(new TaskBoardAdapter(queue, bull));
      isAttached = true;
    },
  };
}

/** @throws what the answer is */
async function assertMayLook(
  apiKeys: ApiKeyService,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const key = presentedKey(request, { password: true });
  const caller = key === undefined ? undefined : await apiKeys.authenticate(key);
  if (!caller) {
    void reply.header(
      'WWW-Authenticate',
      'Basic realm="Peregrine: an admin key as the password", charset="UTF-8"',
    );
    throw new UnauthorizedException('Log in with an API key of the scope admin as the password');
  }
  if (!caller.scopes.includes('admin')) throw new ForbiddenException('The API key lacks the scope admin');
  if (!READING.includes(request.method)) {
    throw new MethodNotAllowedException('The board is to look at; use /api/v1/tasks to change tasks');
  }
}
