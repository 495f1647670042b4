// Writes objects into a folder until it is killed: node storage-folder-child.mjs <folder> <MiB each> <how many>
import { randomUUID } from 'node:crypto';
import { registerHooks } from 'node:module';

// The sources name each other as they will be built; Node runs them as they are.
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.startsWith('.') ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});

const { FolderStorage } = await import('../src/storage/folder-storage.ts');
const { generated, MIB } = await import('./storage-sources.ts');

const [root, mebibytes, count] = process.argv.slice(2);
const storage = new FolderStorage({ root });

async function writeOne() {
  const key = randomUUID();
  try {
    await storage.write(key, generated(Number(mebibytes) * MIB));
    console.log(`written ${key}`);
  } catch (error) {
    console.log(`failed ${error.code} ${error.message}`);
  }
}

for (let left = Number(count); left > 0; left -= 4) {
  await Promise.all(Array.from({ length: Math.min(4, left) }, writeOne));
}
