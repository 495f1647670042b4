import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { build } from '../build.ts';
import { parseOptions, parseWholeNumber } from '../command-line.ts';
import { listenForInterrupt, whenAborted } from '../interrupt.ts';
import { fromCallersFolder } from '../paths.ts';
import { PortError, UsageError } from '../tools.errors.ts';

const HELP = `Usage: npm run cdn -- serve <folder> [options]

Serves the files of a folder over HTTP, compressed as each client accepts it; .br, .zst and .gz beside a file are used
when they hold that file. Ctrl-C ends it.

  --port <n>         port to listen on, 0 for any free one (default: 8080)
  --host <address>   address to listen on (default: 127.0.0.1, this machine only)
  --prefix <path>    path below which the files are, such as /static
  --no-compression   send files as they are
  --no-build         use the library as it was built before
  --help             this text`;

/** `npm run cdn -- serve`; ends with a signal. */
export async function serveFolder(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions('npm run cdn -- serve', {
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      port: { type: 'string', default: '8080' },
      host: { type: 'string', default: '127.0.0.1' },
      prefix: { type: 'string' },
      compression: { type: 'boolean', default: true },
      build: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new UsageError(`Name one folder.\n\n${HELP}`);
  const port = parseWholeNumber('--port', values.port, [0, 65_535]);
  if (values.build) await build();
  const { Origin } = await import('@peregrine/cdn');
  const root = fromCallersFolder(folder);
  const origin = new Origin({
    root,
    prefix: values.prefix,
    compression: { enabled: values.compression, precompressed: values.compression },
    onError: (error) => console.error(error.message),
  });
  await origin.open();
  await serveUntilStopped(createServer(origin.listener), port, values.host, (url) =>
    console.log(`Serving ${root} on ${url}${origin.prefix}/`),
  );
  return 0;
}

async function serveUntilStopped(
  server: ReturnType<typeof createServer>,
  port: number,
  host: string,
  onListening: (url: string) => void,
): Promise<void> {
  const interrupt = listenForInterrupt();
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new PortError(
      `Can not listen on ${host}:${port}: ${(cause as Error).message}. Choose another --port.`,
      { cause },
    );
  }
  const { address, family, port: chosen } = server.address() as AddressInfo;
  onListening(`http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`);
  await whenAborted(interrupt.stop);
  interrupt.dispose();
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
