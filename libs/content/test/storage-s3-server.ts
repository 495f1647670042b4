import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import S3rver from 's3rver';

export const BUCKET = 'objects';
export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

export interface S3Server {
  readonly endpoint: string;
  /** Bytes that have arrived so far, with their headers. */
  receivedBytes(): number;
  /** Multipart uploads that were begun and neither completed nor aborted. */
  openUploads(): Promise<string[]>;
  /** Gives the requests that `handler` returns true for to it instead of the server. */
  intercept(handler?: (request: IncomingMessage, response: ServerResponse) => boolean): void;
  stop(): Promise<void>;
}

/** s3rver on a free port of this machine, in a folder of its own. */
export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'peregrine-s3-'));
  const s3 = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET }],
  });
  await s3.configureBuckets();
  const uploads = s3.store.getResourcePath(BUCKET, undefined, 'uploads');
  answerOnlyWhatIsOnDisk(s3, uploads);
  const sockets = new Set<Socket>();
  let intercepted: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  const listener = withAbort(s3.callback(), uploads);
  const server = createServer((request, response) => {
    if (intercepted?.(request, response)) return;
    listener(request, response);
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receivedBytes: () => [...sockets].reduce((sum, it) => sum + it.bytesRead, 0),
    openUploads: () => readdir(uploads).catch(() => []),
    intercept: (handler) => (intercepted = handler),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      s3.logger.exceptions.unhandle();
      s3.logger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** s3rver lacks AbortMultipartUpload; here it is, as S3 describes it. */
function withAbort(listener: RequestListener, uploads: string): RequestListener {
  return (request, response) => {
    const uploadId = new URL(request.url ?? '/', 'http://s3').searchParams.get('uploadId');
    if (request.method !== 'DELETE' || !uploadId) {
      listener(request, response);
      return;
    }
    void rm(join(uploads, uploadId), { recursive: true, force: true }).then(() => {
      response.writeHead(204).end();
    });
  };
}

/** s3rver answers a PUT before the file has its last bytes; S3 does not. */
function answerOnlyWhatIsOnDisk({ store }: S3rver, uploads: string): void {
  const putObject = store.putObject.bind(store);
  const putPart = store.putPart.bind(store);
  const settled = async <T extends { size: number }>(path: string, result: T): Promise<T> => {
    while ((await stat(path)).size < result.size) await setImmediate();
    return result;
  };
  store.putObject = async (object) =>
    settled(store.getResourcePath(object.bucket, object.key, 'object'), await putObject(object));
  store.putPart = async (bucket, uploadId, partNumber, content) =>
    settled(join(uploads, uploadId, partNumber), await putPart(bucket, uploadId, partNumber, content));
}
