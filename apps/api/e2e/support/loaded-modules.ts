import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const APP = fileURLToPath(new URL('../../', import.meta.url));

/** The CommonJS files that a new process has in memory once it has imported these modules, as the app would. */
export async function loadedBy(...modules: string[]): Promise<string[]> {
  const program = `
    import { createRequire } from 'node:module';
    for (const it of ${JSON.stringify(modules)}) await import(it);
    console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: APP,
  });
  return JSON.parse(stdout) as string[];
}
