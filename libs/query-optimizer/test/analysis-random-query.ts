/** Tables of the property tests: small integers everywhere, so that keys meet often. */
export const RANDOM_SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, k int, x int);
  CREATE TABLE b (id int PRIMARY KEY, k int, x int, a_id int REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE);
  CREATE TABLE c (id int, k int, x int);
  CREATE TABLE p (id int, k int, x int) PARTITION BY LIST (x);
  CREATE TABLE p_one PARTITION OF p FOR VALUES IN (1);
  CREATE TABLE p_rest PARTITION OF p DEFAULT;
  CREATE VIEW v AS SELECT id, k, x FROM a WHERE x IS NOT NULL;
  CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO p (id, k, x) VALUES (NEW.id, NEW.k, NEW.x); RETURN NULL; END $$;
  CREATE TRIGGER copies AFTER INSERT ON c FOR EACH ROW EXECUTE FUNCTION copies();
  CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.x := coalesce(NEW.x, 0) + 1; RETURN NEW; END $$;
  CREATE TRIGGER moves BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION moves();
`;

const TABLES = ['a', 'b', 'c', 'p', 'a', 'b', 'v', 'p_one'];
const COLUMNS = ['k', 'x', 'id', 'k'];
const MAX_DEPTH = 2;

/** Turns a list of numbers into a query: whatever the numbers are, so that fast-check can shrink them. */
export class RandomQuery {
  #position = 0;
  #aliases = 0;

  constructor(private readonly tape: readonly number[]) {}

  /** A number below `n`; 0, the simplest choice, when the tape is over. */
  next(n: number): number {
    return (this.tape[this.#position++] ?? 0) % n;
  }

  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    const item = items[this.next(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  statement(): string {
    switch (this.next(9)) {
      case 6:
      case 7:
      case 8:
        return this.join();
      case 1:
        return `WITH q AS (${this.block(1, [])}) ${this.block(0, [], ['q'])}`;
      case 2:
        return `${this.arm([])} ${this.pick(['UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT'])} ${this.arm([])}`;
      default:
        return this.block(0, []);
    }
  }

  /** Two or three tables with plain conditions: here keys decide most often, so mistakes about joins show. */
  join(): string {
    const aliases = ['t0'];
    let from = `${this.pick(['a', 'b', 'c'])} t0`;
    for (let i = 1; i <= 1 + this.next(2); i++) {
      aliases.push(`t${i}`);
      const kind = this.pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'LEFT JOIN']);
      from = `${from} ${kind} ${this.pick(['a', 'b', 'c'])} t${i} ON ${this.plain(aliases)} AND ${this.plain(aliases)}`;
    }
    const where =
      this.next(4) === 0
        ? ''
        : ` WHERE ${this.plain(aliases)}${this.next(2) === 0 ? '' : ` ${this.pick(['OR', 'AND', 'OR', 'AND NOT'])} ${this.plain(aliases)}`}`;
    return `SELECT ${aliases.map((it) => `to_jsonb(${it})`).join(', ')} FROM ${from}${where}`;
  }

  plain(aliases: readonly string[]): string {
    const alias = this.pick(aliases);
    return this.pick([
      `${alias}.k = ${this.next(3)}`,
      `${alias}.k = ${this.pick(aliases)}.k`,
      `${alias}.k = ${this.next(3)}`,
      `${alias}.k IS NULL`,
      `${alias}.x = ${this.next(3)}`,
    ]);
  }

  /** Comparable arms of a set operation. */
  arm(outer: readonly string[]): string {
    const { from, aliases } = this.from(1, outer);
    return `SELECT ${this.column(aliases)} FROM ${from} ${this.where(1, aliases, outer)}`;
  }

  block(depth: number, outer: readonly string[], ctes: readonly string[] = []): string {
    const { from, aliases } = this.from(depth, outer, ctes);
    const rows = aliases.map((it) => `to_jsonb(${it}) AS j_${it}`).join(', ');
    // The columns that a query around it may use.
    const plain = ['k', 'x', 'id'].map((it) => `min(${aliases[0]}.${it}) AS ${it}`).join(', ');
    const where = this.where(depth, aliases, outer);
    if (depth === 0) {
      return this.next(3) === 1
        ? `SELECT count(*), ${plain} FROM ${from} ${where}`
        : `SELECT ${rows} FROM ${from} ${where}`;
    }
    const isGrouped = this.next(3) === 1;
    const columns = ['k', 'x', 'id'].map((it) => `${aliases[0]}.${it}`).join(', ');
    return isGrouped
      ? `SELECT ${plain} FROM ${from} ${where} GROUP BY ${aliases[0]}.k`
      : `SELECT ${columns} FROM ${from} ${where}`;
  }

  from(
    depth: number,
    outer: readonly string[],
    ctes: readonly string[] = [],
  ): { from: string; aliases: string[] } {
    const first = this.item(depth, outer, ctes);
    let { from } = first;
    const { aliases } = first;
    for (let more = this.next(depth === 0 ? 4 : 2); more > 0; more--) {
      const lateral = this.next(5) === 1 ? aliases : [];
      const item = this.item(depth, outer, [], lateral);
      const kind = this.pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'LEFT JOIN', ',']);
      if (kind === ',') from = `${from} CROSS JOIN ${item.from}`;
      else {
        const safe = kind === 'FULL JOIN' ? this.fullCondition(aliases, item.aliases) : null;
        const on = safe ?? this.condition(depth, [...aliases, ...item.aliases], outer);
        const using = this.next(6) === 1 && aliases.length === 1 && item.aliases.length === 1;
        from = using ? `${from} ${kind} ${item.from} USING (k)` : `${from} ${kind} ${item.from} ON ${on}`;
      }
      aliases.push(...item.aliases);
    }
    return { from, aliases };
  }

  /** FULL JOIN takes only conditions that can be merged or hashed. */
  fullCondition(left: readonly string[], right: readonly string[]): string {
    return `${this.pick(left)}.k = ${this.pick(right)}.${this.pick(COLUMNS)}`;
  }

  item(
    depth: number,
    outer: readonly string[],
    ctes: readonly string[],
    lateral: readonly string[] = [],
  ): { from: string; aliases: string[] } {
    const alias = `t${this.#aliases++}`;
    if (depth < MAX_DEPTH && this.next(6) === 1) {
      const [word, seen] = lateral.length > 0 ? ['LATERAL ', [...outer, ...lateral]] : ['', outer];
      return { from: `${word}(${this.block(depth + 1, seen)}) ${alias}`, aliases: [alias] };
    }
    if (depth < MAX_DEPTH && this.next(9) === 1) {
      const inner = this.from(depth + 1, outer);
      return { from: `(${inner.from} JOIN a ${alias} ON true)`, aliases: [...inner.aliases, alias] };
    }
    return { from: `${this.pick([...ctes, ...TABLES])} ${alias}`, aliases: [alias] };
  }

  where(depth: number, aliases: readonly string[], outer: readonly string[]): string {
    const conditions = Array.from({ length: this.next(depth === 0 ? 4 : 2) }, () =>
      this.condition(depth, aliases, outer),
    );
    // Most queries should have a key, or the test would say nothing.
    if (this.next(3) > 0)
      conditions.push(...aliases.map((it) => `${it}.k ${this.value()}`).slice(0, 1 + this.next(3)));
    return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  }

  condition(depth: number, aliases: readonly string[], outer: readonly string[]): string {
    const column = this.next(7) === 1 ? this.pick(COLUMNS) : this.column(aliases);
    switch (this.next(16)) {
      case 0:
      case 1:
      case 2:
        return `${column} ${this.value()}`;
      case 3:
      case 4:
      case 5:
        return `${column} = ${this.column(aliases)}`;
      case 6:
        return `(${this.condition(depth, aliases, outer)} OR ${this.condition(depth, aliases, outer)})`;
      case 7:
        return `NOT (${this.condition(depth, aliases, outer)})`;
      case 8:
        return `${column} IS ${this.pick(['NULL', 'NOT NULL', 'NOT DISTINCT FROM 1', 'DISTINCT FROM 1'])}`;
      case 9:
        return `(${column}, ${this.column(aliases)}) = (${this.next(3)}, ${this.next(3)})`;
      case 10:
        return `coalesce(${column}, 1) = ${this.next(3)}`;
      case 11:
        return outer.length === 0 ? 'true' : `${column} = ${this.column(outer)}`;
      default:
        return depth < MAX_DEPTH ? this.subquery(depth, column, [...outer, ...aliases]) : 'true';
    }
  }

  subquery(depth: number, column: string, outer: readonly string[]): string {
    const inner = this.block(depth + 1, outer);
    switch (this.next(4)) {
      case 0:
        return `EXISTS (${inner})`;
      case 1:
        return `NOT EXISTS (${inner})`;
      case 2:
        return `${column} IN (SELECT s.k FROM (${inner}) s)`;
      default:
        return `${column} = (SELECT max(s.x) FROM (${inner}) s)`;
    }
  }

  column(aliases: readonly string[]): string {
    return `${this.pick(aliases)}.${this.pick(COLUMNS)}`;
  }

  value(): string {
    const [one, two] = [this.next(3), this.next(3)];
    return this.pick([
      `= ${one}`,
      `= ${one}`,
      `IN (${one}, ${two})`,
      `= ANY (ARRAY[${one}, ${two}])`,
      `= '${one}'`,
    ]);
  }

  /** One row, by a statement whose keys may be read from it. */
  write(id: number): string {
    const table = this.pick(['a', 'b', 'c', 'p', 'p_one', 'p_rest']);
    const [k, x, other] = [this.next(3), this.next(3), this.next(3)];
    const where = `k = ${k}${this.next(2) === 0 ? '' : ` AND x = ${other}`}`;
    switch (this.next(5)) {
      case 0:
        return `INSERT INTO ${table} (id, k, x) VALUES (${id}, ${k}, ${table === 'p_one' ? 1 : table === 'p_rest' ? 2 : x})`;
      case 1:
        return `DELETE FROM ${table} WHERE ${where}`;
      case 2:
        return `UPDATE ${table} SET k = ${other} WHERE ${where}`;
      case 3:
        return table === 'a' || table === 'b'
          ? `INSERT INTO ${table} (id, k, x) VALUES (${this.next(6)}, ${k}, ${x}) ON CONFLICT (id) DO UPDATE SET x = 2`
          : `DELETE FROM ${table} WHERE ${where}`;
      default:
        return `UPDATE ${table} SET ${table.startsWith('p') ? 'id' : 'x'} = ${other} WHERE k = ${k}`;
    }
  }
}
