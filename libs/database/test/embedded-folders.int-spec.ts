import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { hydrateLinks, locateBinaries } from '../src/embedded/binaries.js';
import { EmbeddedPostgres } from '../src/embedded/index.js';
import { readPostmasterFile } from '../src/embedded/postmaster.js';
import { asServerUser } from '../src/embedded/server-program.js';
import { chooseServerUser, withPassage } from '../src/embedded/server-user.js';

import {
  fails,
  itAsRoot,
  itAsUser,
  makeFolder,
  query,
  removeFolder,
  startOwner,
  kill,
  until,
} from './embedded-fixture.js';

jest.setTimeout(60_000);

describe('the data folder of EmbeddedPostgres', () => {
  let folder: string;
  let dataDir: string;

  const cycle = async () => {
    const server = await EmbeddedPostgres.start({ dataDir });
    await server.stop();
  };

  beforeEach(async () => {
    folder = await makeFolder();
    dataDir = join(folder, 'postgres');
  });
  afterEach(() => removeFolder(folder));

  it('is refused, untouched, when another version of PostgreSQL wrote it', async () => {
    await cycle();
    await writeFile(join(dataDir, 'PG_VERSION'), '15\n');
    const before = await stat(join(dataDir, 'global/pg_control'));
    const error = await fails(EmbeddedPostgres.start({ dataDir }));
    expect(error).toMatchObject({
      name: 'DataFolderVersionError',
      code: 'DATABASE_DATA_FOLDER_VERSION',
      details: { dataDir, found: '15', expected: '18' },
    });
    expect(error.message).toContain('pg_dumpall');
    expect(await stat(join(dataDir, 'global/pg_control'))).toEqual(before);
    await writeFile(join(dataDir, 'PG_VERSION'), '18\n');
    await cycle();
  });

  it('is refused, untouched, when it holds something else', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'thesis.txt'), 'precious');
    expect(await fails(EmbeddedPostgres.start({ dataDir }))).toMatchObject({
      code: 'DATABASE_DATA_FOLDER_FOREIGN',
      details: { dataDir },
    });
    expect(await readFile(join(dataDir, 'thesis.txt'), 'utf8')).toBe('precious');
    await rm(dataDir, { recursive: true });
    await writeFile(dataDir, 'a file');
    expect(await fails(EmbeddedPostgres.start({ dataDir }))).toMatchObject({
      code: 'DATABASE_DATA_FOLDER_FOREIGN',
    });
  });

  it('may exist and be empty', async () => {
    await mkdir(dataDir);
    await cycle();
    expect((await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim()).toBe('18');
  });

  it('belongs to one owner at a time', async () => {
    const owner = await startOwner(dataDir);
    expect(await fails(EmbeddedPostgres.start({ dataDir }))).toMatchObject({
      code: 'DATABASE_DATA_FOLDER_IN_USE',
      details: { dataDir },
    });
    expect(await query(owner.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await kill(owner.child, 'SIGTERM');
  });

  it('goes to exactly one of several owners that find a dead owner’s lock', async () => {
    await cycle();
    await writeFile(
      `${dataDir}.lock`,
      '{"pid":4000000,"startedAt":"x","owner":{"pid":4000000,"startedAt":"x"}}',
    );
    const results = await Promise.allSettled([1, 2, 3].map(() => EmbeddedPostgres.start({ dataDir })));
    const winners = results.filter((it) => it.status === 'fulfilled');
    const losers = results.filter((it) => it.status === 'rejected');
    await Promise.all(winners.map((it) => it.value.stop()));
    expect(winners).toHaveLength(1);
    for (const loser of losers) expect(loser.reason).toMatchObject({ code: 'DATABASE_DATA_FOLDER_IN_USE' });
  });

  it('is refused while a server that is not ours runs on it, and that server is left alone', async () => {
    await cycle();
    const [{ postgres }, owner] = await Promise.all([locateBinaries(), chooseServerUser(dataDir)]);
    const flags = ['-D', dataDir, '-c', 'listen_addresses=', '-c', `unix_socket_directories=${dataDir}`];
    const user = await withPassage(owner, [postgres]);
    const { file, args, options } = asServerUser(user, postgres, flags);
    const foreign = spawn(file, args, { ...options, stdio: 'ignore' });
    await until(async () => (await readPostmasterFile(dataDir))?.status === 'ready');
    expect(await fails(EmbeddedPostgres.start({ dataDir }))).toMatchObject({
      code: 'DATABASE_DATA_FOLDER_IN_USE',
      details: { dataDir, pid: foreign.pid },
    });
    expect(foreign.exitCode).toBeNull();
    foreign.kill('SIGINT');
    await once(foreign, 'exit');
    await cycle();
  });

  itAsUser('must be reachable: the first closed folder is named', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed);
    await chmod(closed, 0o000);
    const error = await fails(EmbeddedPostgres.start({ dataDir: join(closed, 'deep', 'postgres') }));
    await chmod(closed, 0o755);
    expect(error).toMatchObject({ code: 'DATABASE_DATA_FOLDER_ACCESS' });
    expect(error.message).toContain('closed');
  });

  itAsRoot('may lie below a folder that only root may enter, when root starts it', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed);
    await chmod(closed, 0o700);
    for (const start of ['first', 'second']) {
      const server = await EmbeddedPostgres.start({ dataDir: join(closed, 'deep', 'postgres') });
      const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
      await server.stop();
      expect({ start, user: /^Uid:\s+0\b/m.test(status) ? 'root' : 'another' }).toEqual({
        start,
        user: 'another',
      });
    }
  });

  it('may be given by a path with a link', async () => {
    await cycle();
    await symlink(folder, join(folder, 'link'));
    const server = await EmbeddedPostgres.start({ dataDir: join(folder, 'link', 'postgres') });
    const error = await fails(EmbeddedPostgres.start({ dataDir }));
    await server.stop();
    expect(error).toMatchObject({ code: 'DATABASE_DATA_FOLDER_IN_USE' });
  });
});

describe('the programs of EmbeddedPostgres', () => {
  it('get the library links that an installer left out, or their names are told', async () => {
    const { postgres } = await locateBinaries();
    const original = join(dirname(postgres), '../..');
    const copy = await mkdtemp(join(tmpdir(), 'peregrine-package-'));
    for (const part of ['package.json', 'scripts', 'native/pg-symlinks.json']) {
      await cp(join(original, part), join(copy, part), { recursive: true });
    }
    const links = JSON.parse(await readFile(join(copy, 'native/pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    await Promise.all(
      links.map(({ source }) => cp(join(original, source), join(copy, source), { recursive: true })),
    );

    await hydrateLinks(copy);
    const made = await Promise.all(links.map(({ target }) => lstat(join(copy, target))));
    expect(made.length > 0 && made.every((it) => it.isSymbolicLink())).toBe(true);

    await unlink(join(copy, 'native/lib/libecpg.so'));
    await writeFile(join(copy, 'scripts/hydrate-symlinks.js'), '');
    expect(await fails(hydrateLinks(copy))).toMatchObject({
      code: 'DATABASE_EMBEDDED_INSTALL',
      message: expect.stringContaining('native/lib/libecpg.so'),
    });
    await removeFolder(copy);
  });

  itAsRoot('need a user: root is told when it is missing and cannot be created', async () => {
    const bin = await mkdtemp(join(tmpdir(), 'peregrine-bin-'));
    await symlink('/usr/bin/id', join(bin, 'id'));
    const script = `const { chooseServerUser } = await import('./dist/embedded/server-user.js');
      await chooseServerUser('/nowhere', 'peregrine-nobody').catch((e) => console.log(e.code, e.message));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { PATH: bin },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = await text(child.stdout);
    await removeFolder(bin);
    expect(said).toMatch(/^DATABASE_EMBEDDED_USER .*"useradd" is not installed/);
  });
});
