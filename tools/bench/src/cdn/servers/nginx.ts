import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { endWithProcess } from '../../harness/end-with-process.ts';
import { freePort } from './free-port.ts';
import type { RunningServer } from './contract.ts';

const TICKS_PER_SECOND = 100;
const START_TRIES = 200;

/** Undefined where nginx is not installed. */
export async function nginxVersion(): Promise<string | undefined> {
  try {
    const { stderr } = await promisify(execFile)('nginx', ['-v']);
    return stderr.trim().replace('nginx version: ', '');
  } catch {
    return undefined;
  }
}

/** Starts an nginx of our own with one worker, as a person would set it up for static files. */
export function startNginx(root: string): Promise<RunningServer> {
  return start((folder, port) => configuration(folder, root, port));
}

/** Starts one with the configuration that the library makes for a caching proxy in front of a port of this machine. */
export async function startNginxProxy(originPort: number): Promise<RunningServer> {
  const { renderNginxProxy } = await import('@peregrine/cdn');
  return start((folder, port) =>
    renderNginxProxy({
      listen: `127.0.0.1:${port}`,
      upstreams: [`127.0.0.1:${originPort}`],
      workerProcesses: 1,
      temporaryFolder: folder,
      errorLog: join(folder, 'error.log'),
      accessLog: join(folder, 'access.log'),
      cache: { folder: join(folder, 'cache') },
      // Started by root, the workers are somebody else, who may not write into the folder.
      ...(process.getuid?.() === 0 && { user: 'root' }),
    }),
  );
}

async function start(render: (folder: string, port: number) => string): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-bench-nginx-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, render(folder, port));
  const args = ['-p', folder, '-e', 'stderr', '-c', file, '-g', 'daemon off;'];
  const nginx = spawn('nginx', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  endWithProcess(nginx);
  const ended = once(nginx, 'exit');
  await untilListening(port);
  const { pid = 0 } = nginx;
  return {
    port,
    cpuMicroseconds: async () => {
      const pids = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
      const ticks = await Promise.all(pids.map(ticksOf));
      return (ticks.reduce((sum, it) => sum + it, 0) * 1_000_000) / TICKS_PER_SECOND;
    },
    ended,
    stop: async () => {
      nginx.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** User and system time of a process. */
async function ticksOf(pid: string): Promise<number> {
  // The name of the program, in parentheses, may hold spaces.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < START_TRIES; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const isUp = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    await delay(50);
  }
  throw new Error('nginx does not listen');
}

function configuration(folder: string, root: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (it) => `${it}_temp_path ${folder}/${it};`,
  );
  return `worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=1000;
  ${temporary.join(' ')}
  types { text/html html; text/css css; text/javascript js; application/json json; image/png png; text/plain txt; }
  default_type application/octet-stream; charset utf-8;
  gzip on; gzip_vary on; gzip_types text/css text/javascript application/json;
  server { listen 127.0.0.1:${port}; root ${root}; gzip_static on; expires 1h; }
}
`;
}
