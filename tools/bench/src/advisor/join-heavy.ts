import type { WorkloadText } from './fixture.ts';

/** What an alias stands for, how it hangs on those before it, and what may be asked of it: one condition for each variant. */
interface Part {
  readonly table: string;
  readonly joins: readonly string[];
  readonly conditions: readonly string[];
}

const part = (table: string, joins: string, ...conditions: string[]): Part => ({
  table,
  joins: joins === '' ? [] : joins.split(', '),
  conditions,
});

/** Joins name both sides; those whose other alias is not in the statement are left out. `''`: no condition in that variant. */
const PARTS: Readonly<Record<string, Part>> = {
  f: part('film', '', 'f.year > 2005', 'f.year BETWEEN 1990 AND 2010', "f.title LIKE '%Dark%'", '', "f.year > 2000 AND f.title LIKE 'Iron%'", 'f.year BETWEEN 2007 AND 2010'), // prettier-ignore
  fk: part('film_kind', 'fk.id = f.kind_id', "fk.kind = 'movie'", "fk.kind IN ('movie', 'episode')", "fk.kind IN ('tv series', 'tv movie', 'video')"), // prettier-ignore
  fa: part('film_alias', 'fa.film_id = f.id', '', "fa.note LIKE '%(king)%'", 'fa.note IS NOT NULL'),
  fw: part('film_word', 'fw.film_id = f.id', ''),
  w: part('word', 'w.id = fw.word_id', "w.word = 'king-dark'", "w.word LIKE '%sequel%'", "w.word IN ('murder-dark', 'blood-river', 'love-king', 'ghost-dark')", "w.word LIKE 'marvel%'", "w.word LIKE '%based-on-novel%'"), // prettier-ignore
  fc: part('film_company', 'fc.film_id = f.id', '', "fc.note LIKE '%(USA)%' AND fc.note LIKE '%(200%)%'", 'fc.note IS NULL', "fc.note NOT LIKE '%(as MGM)%' AND (fc.note LIKE '%(co-production)%' OR fc.note LIKE '%(presents)%')"), // prettier-ignore
  co: part('company', 'co.id = fc.company_id', "co.country_code = '[us]'", "co.country_code <> '[pl]' AND (co.name LIKE '%Film%' OR co.name LIKE '%Warner%')", "co.country_code = '[de]'", "co.country_code IN ('[sm]', '[nl]')"), // prettier-ignore
  ck: part('company_kind', 'ck.id = fc.company_kind_id', "ck.kind = 'production companies'", "ck.kind IN ('distributors', 'production companies')", 'ck.kind IS NOT NULL'), // prettier-ignore
  ff: part('film_fact', 'ff.film_id = f.id', "ff.value IN ('Drama', 'Horror')", "ff.value LIKE 'USA:%200%' OR ff.value LIKE 'Japan:%200%'", "ff.value IN ('Sweden', 'Germany', 'Denmark', 'Bulgaria', 'USA')", "ff.note LIKE '%internet%'", "ff.value = 'Sci-Fi'"), // prettier-ignore
  ffk: part('fact_kind', 'ffk.id = ff.fact_kind_id', "ffk.info = 'genres'", "ffk.info = 'release dates'", "ffk.info = 'countries'", ''), // prettier-ignore
  fs: part('film_score', 'fs.film_id = f.id', "fs.value > '5.0'", "fs.value < '8.5'", "fs.value > '9.0'", ''),
  fsk: part('fact_kind', 'fsk.id = fs.fact_kind_id', "fsk.info = 'rating'", "fsk.info = 'top 250 rank'", "fsk.info = 'votes'"), // prettier-ignore
  c: part('casting', 'c.film_id = f.id', "c.note = '(voice)'", "c.note IN ('(producer)', '(writer)')", '', "c.note LIKE '%(uncredited)%'", 'c.position < 5'), // prettier-ignore
  r: part('person_role', 'r.id = c.role_id', "r.role = 'actress'", "r.role = 'director'", ''),
  ch: part('character', 'ch.id = c.character_id', '', "ch.name LIKE '%Queen%'", "ch.name = 'Iron Man Bd9f8'"),
  p: part('person', 'p.id = c.person_id', "p.gender = 'f' AND p.name LIKE '%Ab%'", "p.name LIKE 'B%'", "p.gender = 'm'", "p.name_code BETWEEN 'A' AND 'F'", "p.name LIKE '%Be%'"), // prettier-ignore
  pa: part('person_alias', 'pa.person_id = p.id, pa.person_id = c.person_id', "pa.name LIKE '%a%'", "pa.name LIKE '% a.'", ''), // prettier-ignore
  pf: part('person_fact', 'pf.person_id = p.id, pf.person_id = c.person_id', "pf.note = 'Volker 1'", 'pf.note IS NOT NULL', ''), // prettier-ignore
  pfk: part('fact_kind', 'pfk.id = pf.fact_kind_id', "pfk.info = 'height'", "pfk.info = 'biography'"),
  cc: part('complete_cast', 'cc.film_id = f.id', ''),
  s1: part('cast_state', 's1.id = cc.subject_id', "s1.kind = 'cast'", "s1.kind = 'crew'", "s1.kind IN ('cast', 'crew')"), // prettier-ignore
  s2: part(
    'cast_state',
    's2.id = cc.status_id',
    "s2.kind LIKE '%complete%'",
    "s2.kind = 'complete+verified'",
  ),
  fl: part('film_link', 'fl.film_id = f.id', ''),
  lk: part('link_kind', 'lk.id = fl.link_kind_id', "lk.link LIKE '%follow%'", "lk.link IN ('remake of', 'features')"), // prettier-ignore
  f2: part('film', 'f2.id = fl.linked_film_id', '', 'f2.year BETWEEN 2000 AND 2010'),
  fk2: part(
    'film_kind',
    'fk2.id = f2.kind_id',
    "fk2.kind = 'tv series'",
    "fk2.kind IN ('tv series', 'movie')",
  ),
  fs2: part('film_score', 'fs2.film_id = f2.id', "fs2.value < '7.5'", "fs2.value < '3.0'"),
  fsk2: part('fact_kind', 'fsk2.id = fs2.fact_kind_id', "fsk2.info = 'rating'"),
  fc2: part('film_company', 'fc2.film_id = f2.id', ''),
  co2: part('company', 'co2.id = fc2.company_id', '', "co2.country_code = '[us]'"),
};

/** 33 statements by their tables, with the number of variants. */
const TEMPLATES: readonly (readonly [string, number])[] = [
  ['f fs fsk fc ck', 4],
  ['f fw w fc co', 4],
  ['f fw w ff', 3],
  ['f fs fsk fw w', 3],
  ['f ff ffk fc ck', 3],
  ['f fw w c p', 6],
  ['f c p pa pf pfk fl lk', 3],
  ['f fc co c r p pa', 4],
  ['f fc co c r ch p pa', 4],
  ['f fc co ck c r ch', 3],
  ['f fw w fc co ck fl lk', 4],
  ['f ff ffk fs fsk fc co ck', 3],
  ['f fk ff ffk fs fsk fc co ck', 4],
  ['f fk ff ffk fs fsk fw w', 3],
  ['f fa ff ffk fc co ck fw w', 4],
  ['f fc co fw w c p pa', 4],
  ['f fc co fw w c p', 6],
  ['f ff ffk fs fsk c p', 3],
  ['f fc co ff ffk c r ch p pa', 4],
  ['f fk cc s1 s2 fw w c ch p', 3],
  ['f fw w fc co ck fl lk ff', 3],
  ['f fk fw w fc co ck ff ffk fs fsk', 4],
  ['f fk cc s2 ff ffk fc co ck fw w', 3],
  ['f ff ffk fc co fw w c r ch p pa', 2],
  ['f ff ffk fs fsk fw w c p', 3],
  ['f fk cc s1 s2 fs fsk fw w c ch p', 3],
  ['f cc s1 s2 ff fc co ck fw w fl lk', 3],
  ['f fk cc s1 s2 ff ffk fs fsk fc co ck fw w', 3],
  ['f cc s1 s2 ff ffk fc co fw w c r ch p pa pf pfk', 3],
  ['f cc s1 s2 ff ffk fs fsk fw w c p', 3],
  ['f ff ffk fs fsk fw w fc co c p', 3],
  ['f fw w fl lk f2', 2],
  ['f fk fs fsk fc co fl lk f2 fk2 fs2 fsk2 fc2 co2', 3],
];

/** 113 statements of 4 to 17 tables. Like people's and programs' SQL they say of equal columns every pair, not just a chain. */
export function joinHeavyStatements(): readonly WorkloadText[] {
  return TEMPLATES.flatMap(([aliases, count], i) =>
    Array.from({ length: count }, (_, variant) => ({
      name: `${String(i + 1).padStart(2, '0')}${'abcdef'[variant] ?? ''}`,
      text: statement(aliases.split(' '), i, variant),
    })),
  );
}

function statement(aliases: readonly string[], template: number, variant: number): string {
  const parts = aliases.map((alias, place) => ({ alias, place, ...partOf(alias) }));
  const conditions = parts.flatMap(({ conditions: all, place }) => {
    const condition = all[(variant + template * 3 + place) % all.length] ?? '';
    return condition === '' ? [] : [condition.includes(' OR ') ? `(${condition})` : condition];
  });
  const isThere = (join: string) =>
    [...join.matchAll(/\b(\w+)\./g)].every(([, alias]) => aliases.includes(alias ?? ''));
  const joins = parts.flatMap((it) => it.joins.filter(isThere));
  const columns = ['f.title', ...OUTPUTS.filter((it) => aliases.includes(it.split('.')[0] ?? ''))].slice(
    0,
    3,
  );
  return [
    `SELECT ${columns.map((it) => `min(${it})`).join(', ')}`,
    `FROM ${parts.map((it) => `${it.table} AS ${it.alias}`).join(', ')}`,
    `WHERE ${[...joins, ...filmPairs(aliases), ...conditions].join('\n  AND ')}`,
  ].join('\n');
}

const OUTPUTS = ['p.name', 'co.name', 'fs.value', 'ch.name', 'w.word', 'f2.title', 'ff.value'];

/** Every pair of tables that belong to the same film. */
function filmPairs(aliases: readonly string[]): string[] {
  const children = aliases.filter((it) => partOf(it).joins.includes(`${it}.film_id = f.id`));
  return children.flatMap((one, i) =>
    children.slice(i + 1).map((other) => `${one}.film_id = ${other}.film_id`),
  );
}

function partOf(alias: string): Part {
  const found = PARTS[alias];
  if (found === undefined) throw new Error(`There is no part ${alias}`);
  return found;
}
