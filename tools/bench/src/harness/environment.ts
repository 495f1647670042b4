import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release } from 'node:os';
import { dirname, join } from 'node:path';

/** The load of the last minute: on a busy machine only ratios and CPU figures mean something. */
export const currentLoad = (): string => loadavg()[0]?.toFixed(2) ?? 'unknown';

/**
 * What one has to know to judge the figures, in reading order.
 *
 * @param servers by name, with their versions
 * @param packages whose versions matter
 */
export function describeEnvironment(
  command: string,
  servers: Readonly<Record<string, string>>,
  packages: readonly string[],
): Record<string, string> {
  const processors = cpus();
  return {
    Date: new Date().toISOString(),
    Command: `\`${command}\``,
    Commit: currentCommit(),
    Processor: `${processors[0]?.model ?? 'unknown'}, ${processors.length} cores (${arch()})`,
    System: `${platform()} ${release()}`,
    'Load at the start (1 min)': currentLoad(),
    Node: `${process.version}, V8 ${process.versions.v8}`,
    ...servers,
    Packages: packages.map((name) => `${name} ${versionOf(name)}`).join(', '),
  };
}

/** With a mark when files are changed; "none" outside of a repository. */
function currentCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  try {
    const isClean = git('status', '--porcelain') === '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${isClean ? '' : ' with local changes'}`;
  } catch {
    return 'none';
  }
}

/** Packages hide their package.json behind `exports`: it is looked for in the folders above the entry file. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as {
        version: string;
      };
      return manifest.version;
    } catch {
      // Not in this folder; the next one up may have it.
    }
  }
  return `unknown (looked from ${dirname(import.meta.url)})`;
}
