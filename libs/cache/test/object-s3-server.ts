import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import S3rver from 's3rver';

export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** Takes a request away from the server; answers whether it did. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface S3Server {
  readonly endpoint: string;
  intercept(handler?: Intercept): void;
  /** Multipart uploads that were begun in a bucket and neither completed nor aborted. */
  openUploads(bucket: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** s3rver on a free port of this machine, in a folder of its own. */
export async function startS3Server(buckets: readonly string[]): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'peregrine-s3-'));
  const s3 = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: buckets.map((name) => ({ name })),
  });
  await s3.configureBuckets();
  waitForTheDisk(s3);
  const serve = s3.callback();
  let intercepted: Intercept | undefined;
  const uploadsOf = (bucket: string) => s3.store.getResourcePath(bucket, undefined, 'uploads');
  const inTurn = oneAtATime();
  const server = createServer((request, response) => {
    if (intercepted?.(request, response) !== true) inTurn(request, response, answer);
  });
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://s3');
    const uploadId = url.searchParams.get('uploadId');
    // s3rver does not know how to abort an upload.
    if (request.method !== 'DELETE' || uploadId === null) serve(request, response);
    else {
      const path = join(uploadsOf(url.pathname.split('/')[1] ?? ''), uploadId);
      void rm(path, { recursive: true, force: true }).then(() => response.writeHead(204).end());
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intercept: (handler) => (intercepted = handler),
    openUploads: (bucket) => readdir(uploadsOf(bucket)).catch(() => []),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      s3.logger.exceptions.unhandle();
      s3.logger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** s3rver answers a PUT before the file has its last bytes; S3 does not. */
function waitForTheDisk({ store }: S3rver): void {
  const putObject = store.putObject.bind(store);
  const putPart = store.putPart.bind(store);
  const settle = async <T extends { size: number }>(path: string, result: T): Promise<T> => {
    while ((await stat(path)).size < result.size) await setImmediate();
    return result;
  };
  store.putObject = async (object) =>
    settle(store.getResourcePath(object.bucket, object.key, 'object'), await putObject(object));
  store.putPart = async (bucket, id, part, content) => {
    const path = join(store.getResourcePath(bucket, undefined, 'uploads'), id, part);
    return settle(path, await putPart(bucket, id, part, content));
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests for one object are answered one after the other: s3rver mixes what is read and written at the same time. */
function oneAtATime(): (request: IncomingMessage, response: ServerResponse, answer: Answer) => void {
  const turns = new Map<string, Promise<unknown>>();
  return (request, response, answer) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const closed = new Promise((resolve) => response.once('close', resolve));
    const before = turns.get(path);
    turns.set(path, Promise.all([before, closed]));
    if (before === undefined) answer(request, response);
    else void before.then(() => answer(request, response));
  };
}
