import { measureOverhead } from './measures/overhead.ts';
import { readerOf } from './libraries/variants.ts';
const [url, warm, openings] = process.argv.slice(2);
for (const id of ['pg', 'peregrine-uncached'] as const) { const s = await readerOf(id).open(url!); for (let i = 0; i < Number(warm); i++) await s.readOne(1 + (i % 10000)); await s.close(); }
for (const it of await measureOverhead(url!, Number(openings))) console.log(warm, it.callers, 'pg', it.pg.cpu.toFixed(1), 'ours', it.peregrine.cpu.toFixed(1), 'cpu', it.ratio.cpu.toFixed(3), 'wall', it.ratio.wall.toFixed(3));
