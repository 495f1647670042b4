// Loaded with --import into a built app: each request that is answered with a 200 keeps KEEP_KIB of the heap for KEEP_MS,
// as work would that is still going on when its answer is out. Probes and figures do not.
import { subscribe } from 'node:diagnostics_channel';

const kibibytes = Number(process.env.KEEP_KIB);
const lastsMs = Number(process.env.KEEP_MS);
const kept = new Set();

subscribe('http.server.response.finish', ({ request, response }) => {
  if (response.statusCode !== 200 || !request.url.startsWith('/api/')) return;
  // Small pieces, which leave no gaps in V8's pages.
  const memory = Array.from({ length: kibibytes }, () => new Array(128).fill(1.5));
  kept.add(memory);
  setTimeout(() => kept.delete(memory), lastsMs).unref();
});
