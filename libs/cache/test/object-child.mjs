// What the tests of the object tier do in processes of their own:
//   node --experimental-transform-types object-child.mjs <mode> <JSON>
import { createHash } from 'node:crypto';
import { registerHooks } from 'node:module';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

// The sources name each other as they will be built; Node runs them as they are.
const isOurs = (specifier, { parentURL = '' }) =>
  specifier.startsWith('.') && !parentURL.includes('/node_modules/');
registerHooks({
  resolve: (specifier, context, next) =>
    next(isOurs(specifier, context) ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});

const { FolderStore } = await import('../src/object-store/folder/folder-store.ts');
const [mode, json] = process.argv.slice(2);
const options = JSON.parse(json);

/** An object whose every byte and whose length tell its number. */
const numbered = (number, bytes) => Buffer.alloc(bytes + (number % 200), number % 200);

/** Overwrites a few keys without end, until it is killed. */
async function overwrite({ path, keys, bytes }) {
  const store = new FolderStore({ path });
  const write = async (from) => {
    for (let i = from; ; i += 4) {
      const body = numbered(i, bytes);
      await store.put(`k${i % keys}`, i % 2 === 0 ? body : Readable.from([body]), { number: String(i) });
      console.log('written');
    }
  };
  await Promise.all([0, 1, 2, 3].map(write));
}

/** Writes many keys into a bounded folder. */
async function fill({ path, maxBytes, keys, bytes, name }) {
  const store = new FolderStore({ path, maxBytes });
  const write = async (from) => {
    for (let i = from; i < keys; i += 4) await store.put(`${name}${i}`, numbered(i, bytes));
  };
  await Promise.all([0, 1, 2, 3].map(write));
  await store.close();
  console.log(JSON.stringify(store.stats()));
}

function* generated(bytes, compressible) {
  const text = Buffer.from('{"id":1,"name":"some name","text":"lorem ipsum"}\n'.repeat(1_400));
  const piece = 65_536;
  for (let at = 0; at < bytes; at += piece) {
    const outputLength = Math.min(piece, bytes - at);
    if (compressible) yield text.subarray(0, outputLength);
    else yield createHash('shake128', { outputLength }).update(String(at)).digest();
  }
}

async function digestOf(chunks) {
  const hash = createHash('sha256');
  await pipeline(chunks, new Writable({ write: (chunk, _, done) => done(null, void hash.update(chunk)) }));
  return hash.digest('hex');
}

/** Puts a large stream through the tier and back, and tells how much memory that took. */
async function stream({ bytes, compressible, folder, s3 }) {
  const { S3Store } = await import('../src/object-store/s3/index.ts');
  const { ObjectGate } = await import('../src/object-store/object-gate.ts');
  const { ObjectTier } = await import('../src/object-store/object-tier.ts');
  const store = folder === undefined ? new S3Store(s3) : new FolderStore({ path: folder });
  const gate = new ObjectGate(store, { timeoutMs: 20_000 });
  const codec = { version: '1' };
  const formatOf = () => ({ codec, streams: 'compressed' });
  const tier = new ObjectTier(gate, { prefix: 'p', ttlMs: 3_600_000, formatOf });
  const noted = { scopes: ['f'], key: Buffer.from('k'), tokens: [Buffer.from('t')] };
  const draft = { freshMs: 1_000_000, hardMs: 1_000_000, loadMs: 1, createdAt: 1 };
  const roundTrip = async (size) => {
    const source = Readable.from(generated(size, compressible), { objectMode: false });
    const kept = await tier.writeStream('k:n:large', noted, source, draft);
    const { body } = await tier.openStream('k:n:large', noted);
    return kept && (await digestOf(body)) === (await digestOf(Readable.from(generated(size, compressible))));
  };
  // Buffers that wait for the garbage collector come up to some amount, whatever the size: that is not counted.
  await roundTrip(64 * 2 ** 20);
  const before = process.resourceUsage().maxRSS;
  const same = await roundTrip(bytes);
  const growthMiB = Math.round((process.resourceUsage().maxRSS - before) / 1_024);
  console.log(JSON.stringify({ same, growthMiB, storedBytes: tier.counters.bytesWritten }));
  await store.close();
}

await { overwrite, fill, stream }[mode](options);
