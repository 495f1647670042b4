import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { PackageInstallError } from '../tools.errors.ts';

/** Debian asks this program before a package starts its service; 101 means no (invoke-rc.d(8)). */
const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** As one shell, so that the policy goes away however it ends; one that is there already is left alone. */
const SCRIPT = `set -e
policy="$1"; shift
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"`;

/**
 * Installs packages of the system and starts none of their services.
 *
 * @throws {PackageInstallError} with what apt said
 */
export async function installAptPackages(
  packages: readonly string[],
  environment: NodeJS.ProcessEnv,
  policyFile = POLICY_FILE,
): Promise<void> {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const command = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', SCRIPT, 'sh', policyFile];
  const [program = '', ...args] = [...command, ...packages];
  const apt = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  for (const stream of [apt.stdout, apt.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const [code] = (await once(apt, 'close')) as [number | null];
  if (code === 0) return;
  const text = Buffer.concat(output).toString();
  throw new PackageInstallError(
    `${text}\napt-get could not install ${packages.join(', ')} (exit code ${code}).`,
  );
}
