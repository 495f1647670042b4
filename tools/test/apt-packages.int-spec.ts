import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installAptPackages } from '../src/platform/apt-packages.ts';
import { findProgram } from '../src/platform/find-program.ts';

// The real apt would change the machine that the tests run on.
describe('installing packages of the system', () => {
  let folder: string;
  let policy: string;
  const environment = () => ({ PATH: `${folder}:${process.env['PATH'] ?? ''}` });
  const write = async (name: string, script: string) => {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  };
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-apt-'));
    policy = join(folder, 'policy-rc.d');
    await write('sudo', 'shift\nexec "$@"');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('forbids services to start meanwhile, and no longer', async () => {
    await write(
      'apt-get',
      `echo "$@ $DEBIAN_FRONTEND" >> ${folder}/log\n${policy} || echo "policy $?" >> ${folder}/log`,
    );
    await installAptPackages(['nginx', 'varnish'], environment(), policy);
    expect((await readFile(join(folder, 'log'), 'utf8')).trim().split('\n')).toEqual([
      'update -qq noninteractive',
      'policy 101',
      'install -y -qq --no-install-recommends nginx varnish noninteractive',
      'policy 101',
    ]);
    expect(await exists(policy)).toBe(false);
  });

  it('leaves a policy of the machine alone', async () => {
    await write('policy-rc.d', 'exit 0');
    await installAptPackages(['nginx'], environment(), policy);
    expect(await readFile(policy, 'utf8')).toContain('exit 0');
    await rm(policy);
  });

  it('says what apt said when it fails, and takes the policy away', async () => {
    await write('apt-get', 'echo "E: Unable to locate package varnish"; exit 100');
    const failed = installAptPackages(['varnish'], environment(), policy);
    await expect(failed).rejects.toMatchObject({
      code: 'TOOLS_PACKAGE_INSTALL',
      message: expect.stringMatching(/Unable to locate[\s\S]*could not install varnish \(exit code 100\)/),
    });
    expect(await exists(policy)).toBe(false);
  });

  it('finds a program by its first name that is there', async () => {
    await write('second-server', 'true');
    const found = await findProgram(['first-server', 'second-server'], environment());
    expect(found).toBe(join(folder, 'second-server'));
    expect(await findProgram(['no-such-server'], environment())).toBeUndefined();
  });
});
