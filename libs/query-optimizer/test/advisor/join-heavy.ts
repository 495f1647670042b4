/**
 * A schema of 21 tables around a central one, and 113 statements that join 4 to 17 of them, in the manner of the Join Order
 * Benchmark (Leis et al., VLDB 2015). Data and statements come from formulas, the same every time.
 */
const SMALL = ['kind', 'link_kind', 'role', 'company_kind', 'cast_kind', 'fact_kind'] as const;

/** Tables with their foreign keys: column to table. */
const TABLES: Readonly<
  Record<string, { readonly rows: number; readonly keys: Readonly<Record<string, string>> }>
> = {
  film: { rows: 1, keys: { kind_id: 'kind' } },
  person: { rows: 1.5, keys: {} },
  character: { rows: 1, keys: {} },
  company: { rows: 0.2, keys: {} },
  word: { rows: 0.1, keys: {} },
  film_alias: { rows: 0.3, keys: { film_id: 'film', kind_id: 'kind' } },
  person_alias: { rows: 0.4, keys: { person_id: 'person' } },
  casting: {
    rows: 6,
    keys: { film_id: 'film', person_id: 'person', character_id: 'character', role_id: 'role' },
  },
  complete_cast: {
    rows: 0.2,
    keys: { film_id: 'film', subject_id: 'cast_kind', status_id: 'cast_kind' },
  },
  film_company: {
    rows: 1.5,
    keys: { film_id: 'film', company_id: 'company', company_kind_id: 'company_kind' },
  },
  film_fact: { rows: 4, keys: { film_id: 'film', fact_kind_id: 'fact_kind' } },
  film_rating: { rows: 0.7, keys: { film_id: 'film', fact_kind_id: 'fact_kind' } },
  film_word: { rows: 2, keys: { film_id: 'film', word_id: 'word' } },
  film_link: { rows: 0.1, keys: { film_id: 'film', linked_film_id: 'film', link_kind_id: 'link_kind' } },
  person_fact: { rows: 1, keys: { person_id: 'person', fact_kind_id: 'fact_kind' } },
};

/** @param scale rows of the central table */
export function joinHeavySchema(scale: number): string {
  const small = SMALL.map(
    (it) => `CREATE TABLE ${it} (id int PRIMARY KEY, label text NOT NULL);
      INSERT INTO ${it} SELECT i, '${it} ' || i FROM generate_series(1, 12) i;`,
  );
  const rowsOf = (table: string) => Math.max(12, Math.round((TABLES[table]?.rows ?? 0) * scale));
  const large = Object.entries(TABLES).map(([table, { keys }]) => {
    const columns = Object.keys(keys).map((it) => `${it} int`);
    const values = Object.values(keys).map((target, i) => {
      const count = (SMALL as readonly string[]).includes(target) ? 12 : rowsOf(target);
      // Squares make few keys frequent and many rare.
      return `1 + ((i::bigint * ${7919 + 104 * i}) % ${count}) * ((i::bigint * ${31 + i}) % ${count}) / ${count}`;
    });
    return `CREATE TABLE ${table} (id int PRIMARY KEY, ${[...columns, 'label text NOT NULL', 'year int', 'note text'].join(', ')});
      INSERT INTO ${table} SELECT i, ${[...values, `'${table} ' || md5(i::text)`, '1900 + i % 120', `CASE WHEN i % 7 = 0 THEN 'note ' || i % 50 END`].join(', ')}
      FROM generate_series(1, ${rowsOf(table)}) i;`;
  });
  return [...small, ...large].join('\n');
}

/** 113 statements: connected joins of 4 to 17 tables with conditions on some of them. */
export function joinHeavyStatements(): readonly string[] {
  const random = generator(20_261_121);
  return Array.from({ length: 113 }, (_, i) => statement(4 + ((i * 5) % 14), random));
}

function statement(size: number, random: (below: number) => number): string {
  const items = [{ table: 'film', alias: 't0' }];
  const conditions: string[] = [];
  const joined = new Set<string>();
  for (let attempt = 0; items.length < size && attempt < 2_000; attempt++) {
    const from = items[random(items.length)]!;
    const alias = `t${items.length}`;
    const edges = [
      ...Object.entries(TABLES[from.table]?.keys ?? {}).map(([column, table]) => ({
        table,
        condition: `${from.alias}.${column} = ${alias}.id`,
      })),
      // Many rows for one: only from the films and persons, as a table of twelve rows would multiply everything.
      ...Object.entries(from.table === 'film' || from.table === 'person' ? TABLES : {}).flatMap(
        ([table, { keys }]) =>
          Object.entries(keys)
            .filter(([, target]) => target === from.table)
            .map(([column]) => ({ table, condition: `${alias}.${column} = ${from.alias}.id` })),
      ),
    ];
    const edge = edges[random(Math.max(1, edges.length))];
    const key = `${from.alias} ${edge?.table}`;
    if (edge === undefined || joined.has(key) || items.filter((it) => it.table === edge.table).length > 1)
      continue;
    joined.add(key);
    conditions.push(edge.condition);
    items.push({ table: edge.table, alias });
  }
  for (const { table, alias } of items) {
    const choice = random(5);
    if ((SMALL as readonly string[]).includes(table))
      conditions.push(`${alias}.label = '${table} ${1 + random(12)}'`);
    else if (choice === 0) conditions.push(`${alias}.year > ${1990 + random(28)}`);
    else if (choice === 1) conditions.push(`${alias}.note = 'note ${random(50)}'`);
    else if (choice === 2) conditions.push(`${alias}.label LIKE '${table} ${random(10)}%'`);
  }
  conditions.push(`t0.year BETWEEN 2000 AND ${2003 + random(10)}`);
  const from = items.map((it) => `${it.table} AS ${it.alias}`).join(', ');
  return `SELECT min(t0.label), min(t1.id) FROM ${from} WHERE ${conditions.join(' AND ')}`;
}

/** Numerical Recipes' linear congruences: enough to spread a workload. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
