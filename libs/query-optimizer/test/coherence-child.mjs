// One process of the coherence test: `node --experimental-transform-types coherence-child.mjs <url> <url of a replica>…`, orders by IPC.
import { registerHooks } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

// The sources name each other as they will be built; Node runs them as they are.
const isOurs = (specifier, { parentURL = '' }) =>
  specifier.startsWith('.') && !parentURL.includes('/node_modules/');
registerHooks({
  resolve: (specifier, context, next) =>
    next(isOurs(specifier, context) ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});

const { createQueryOptimizer } = await import('../src/create-query-optimizer.ts');
const optimizer = await createQueryOptimizer({
  connectionString: process.argv[2],
  replicas: process.argv.slice(3),
  replication: { maxLagMs: 60_000, checkEveryMs: 20 },
  pool: { min: 2, max: 6, reserve: 1, acquireTimeoutMs: 60_000 },
  // Longer than the test: TRUNCATE makes another file of a table, by which a look at the schema would drop everything.
  cache: { maxStalenessMs: 600_000 },
});

/** On a busy machine the first attempt to listen may have failed; the next comes by itself. */
const catchUp = async () => {
  for (;;) {
    try {
      return await optimizer.catchUp();
    } catch (error) {
      if (error.code !== 'QUERY_NOT_LISTENING') throw error;
      await delay(50);
    }
  }
};

/** Beyond it is what a transaction wrote that was rolled back. */
const NEVER = 1_000_000;
const LANES = 4;
const TENANTS = [1, 2, 3];
const ACCOUNTS = [1, 2, 3, 4, 5, 6];

/** The least version of an account that this process may show: it has seen it committed. */
const floors = new Map();
const raise = (id, version) => floors.set(id, Math.max(floors.get(id) ?? 0, version));
let violations = [];

const READS = [
  ...ACCOUNTS.map((id) => ({ sql: 'SELECT id, version FROM account WHERE id = $1', values: [id] })),
  ...TENANTS.map((it) => ({
    sql: 'SELECT id, version FROM account WHERE tenant = $1 ORDER BY id',
    values: [it],
  })),
  { sql: 'SELECT id, version FROM account ORDER BY id', values: [] },
  { sql: 'SELECT tenant, versions FROM tenants ORDER BY tenant', values: [] },
  { sql: 'SELECT owner, count(*)::int AS pets FROM pet GROUP BY owner ORDER BY owner', values: [] },
  { sql: 'SELECT count(*)::int AS n FROM derived', values: [] },
  { sql: 'SELECT n FROM noise ORDER BY n', values: [] },
  { sql: 'SELECT at, n FROM part ORDER BY at, n', values: [] },
  ...TENANTS.map((it) => ({
    sql: 'SELECT id, tenant, version FROM secret ORDER BY id',
    values: [],
    variables: { 'app.tenant': String(it) },
  })),
];

const ask = ({ sql, values, variables }, cache) =>
  optimizer.execute(sql, values, { cache, ...(variables && { variables }) });

async function read(which, least = new Map()) {
  const request = READS[which % READS.length];
  const known = new Map(floors);
  for (const [id, version] of least) known.set(id, Math.max(known.get(id) ?? 0, version));
  const { rows, source } = await ask(request, true);
  const isOfAccounts = request.sql.includes('FROM account');
  for (const row of rows) {
    const text = `${request.sql} ${request.values} ${source}: ${JSON.stringify(row)}`;
    if (row.version >= NEVER || row.versions >= NEVER) violations.push(`rolled back: ${text}`);
    if (isOfAccounts && row.version < (known.get(row.id) ?? 0))
      violations.push(`older than ${known.get(row.id)}: ${text}`);
    if (request.variables && String(row.tenant) !== request.variables['app.tenant'])
      violations.push(`another tenant's: ${text}`);
  }
}

const BUMP = 'UPDATE account SET version = version + 1 WHERE id = $1 RETURNING version';
const version = ({ rows: [row] }) => row?.version ?? 0;
const transaction = (work, end = 'COMMIT') =>
  optimizer.pool.use(async (client) => {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query(end);
    return result;
  });

const WRITES = {
  bump: async ({ id }) => raise(id, version(await optimizer.execute(BUMP, [id]))),
  'bump in a transaction': async ({ id }) =>
    raise(id, version(await transaction((client) => client.query(BUMP, [id])))),
  'bump behind a savepoint': async ({ id }) => {
    const bumped = await transaction(async (client) => {
      const result = await client.query(BUMP, [id]);
      await client.query('SAVEPOINT s');
      await client.query('UPDATE account SET version = version + $2 WHERE id = $1', [id, NEVER]);
      await client.query('ROLLBACK TO s');
      return result;
    });
    raise(id, version(bumped));
  },
  'roll back': ({ id }) =>
    transaction(
      (client) => client.query('UPDATE account SET version = version + $2 WHERE id = $1', [id, NEVER]),
      'ROLLBACK',
    ),
  'release unfinished': ({ id }) =>
    optimizer.pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('UPDATE account SET version = version + $2 WHERE id = $1', [id, NEVER]);
    }),
  move: async ({ id, tenant }) => {
    const sql = 'UPDATE account SET tenant = $2, version = version + 1 WHERE id = $1 RETURNING version';
    raise(id, version(await optimizer.execute(sql, [id, tenant])));
  },
  'bump a tenant': async ({ tenant }) => {
    const sql = 'UPDATE account SET version = version + 1 WHERE tenant = $1 RETURNING id, version';
    // In the order of their ids, so that two of them do not lock each other out.
    const ordered = 'SELECT id FROM account WHERE tenant = $1 ORDER BY id FOR UPDATE';
    const { rows } = await transaction(async (client) => {
      await client.query(ordered, [tenant]);
      return client.query(sql, [tenant]);
    });
    for (const it of rows) raise(it.id, it.version);
  },
  'write a secret': ({ id, tenant }) =>
    optimizer.execute('UPDATE secret SET version = version + 1 WHERE id = $1', [id], {
      variables: { 'app.tenant': String(tenant) },
    }),
  cascade: async ({ tenant }) => {
    await optimizer.execute('DELETE FROM owner WHERE id = $1', [tenant]);
    await optimizer.execute('INSERT INTO owner VALUES ($1) ON CONFLICT DO NOTHING', [tenant]);
    await optimizer.execute('INSERT INTO pet SELECT $1 WHERE EXISTS (SELECT 1 FROM owner WHERE id = $1)', [
      tenant,
    ]);
  },
  trigger: () => optimizer.execute('INSERT INTO source VALUES (1)'),
  part: ({ id, tenant }) => optimizer.execute('INSERT INTO part VALUES ($1, $2)', [id, tenant]),
  noise: ({ id }) => optimizer.execute('INSERT INTO noise VALUES ($1)', [id]),
  truncate: () => optimizer.execute('TRUNCATE noise'),
};

const run = async (order) => {
  if (order.type === 'read') return read(order.which);
  try {
    await WRITES[order.type](order);
  } catch (error) {
    // Two that wait for each other, or an owner that another has deleted meanwhile: nothing was written.
    if (error.code !== '40P01' && error.code !== '23503') throw error;
  }
};

const HANDLERS = {
  async burst({ orders }) {
    const queue = [...orders];
    const lane = async () => {
      for (let it = queue.shift(); it; it = queue.shift()) await run(it);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return [...floors];
  },
  /** Others have committed what `least` says before it was sent. */
  async look({ which, least }) {
    await catchUp();
    await Promise.all(which.map((it) => read(it, new Map(least))));
  },
  /** Nobody writes meanwhile: what is cached is what is there. */
  async compare() {
    await catchUp();
    for (const request of READS) {
      const first = await ask(request, true);
      let cached = await ask(request, true);
      // The server is shared with other suites, and a role that one of them makes is another schema for a moment.
      for (let i = 0; i < 400 && cached.source !== 'cache'; i++) {
        await delay(10);
        cached = await ask(request, true);
      }
      const there = await ask(request, false);
      const text = JSON.stringify(there.rows);
      for (const it of [first, cached])
        if (JSON.stringify(it.rows) !== text)
          violations.push(
            `${request.sql} ${request.values} ${it.source}: ${JSON.stringify(it.rows)}, not ${text}`,
          );
      if (cached.source !== 'cache') violations.push(`not cached: ${request.sql}`);
    }
  },
  async replicaReads() {
    const { replicas = [] } = optimizer.report().replicas ?? {};
    return replicas.reduce((sum, it) => sum + it.reads, 0);
  },
  async stop() {
    await optimizer.close();
    process.disconnect();
  },
};

process.on('message', (message) => {
  HANDLERS[message.type](message).then(
    (result) => {
      if (!process.connected) return;
      process.send({ id: message.id, result: result ?? null, violations });
      violations = [];
    },
    (error) => process.send({ id: message.id, violations: [String(error.stack)] }),
  );
});
process.on('disconnect', () => optimizer.close());
process.send({ id: 0, result: READS.length, violations: [] });
