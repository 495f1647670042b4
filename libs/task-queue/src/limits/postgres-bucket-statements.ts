// What they do is told in token-bucket.ts.

/**
 * No index but the key's: every update then stays on its page, which the free half of the page is for.
 *
 * The lock keeps processes that start together from creating it twice.
 */
export const createTable = (schema: string) => `
SELECT pg_advisory_xact_lock(hashtext('peregrine.rate_bucket'));
CREATE SCHEMA IF NOT EXISTS "${schema}";
CREATE TABLE IF NOT EXISTS "${schema}".peregrine_rate_bucket (
  bucket text PRIMARY KEY,
  at_us bigint NOT NULL,
  taken double precision NOT NULL,
  returns double precision NOT NULL,
  promised double precision NOT NULL,
  forgettable_at_us bigint NOT NULL,
  granted boolean NOT NULL,
  now_us bigint NOT NULL,
  slot_us bigint NOT NULL
) WITH (fillfactor = 50)`;

const NOW_US = `floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`;

/**
 * $1 bucket, $2 cost, $3 rate a second, $4 burst, $5 slot or 0, $6 longest wait in us.
 *
 * The clock is read after the row is locked, so time never runs back between two callers. The last answer is kept in
 * the row, because that is all that RETURNING can see.
 */
export const TAKE = `
INSERT INTO peregrine_rate_bucket AS b
       (bucket, at_us, taken, returns, promised, forgettable_at_us, granted, now_us, slot_us)
SELECT $1, now, $2::float8, $2::float8, $2::float8, now + ceil($2::float8 * 1e6 / $3::float8), true, now, now
  FROM (SELECT ${NOW_US} AS now OFFSET 0) AS c
ON CONFLICT (bucket) DO UPDATE SET
  (at_us, taken, returns, promised, forgettable_at_us, granted, now_us, slot_us) = (
    SELECT d.at, n.taken, n.returns, n.promised, d.at + ceil(n.promised * 1e6 / $3::float8), a.granted, c.now, a.slot
      FROM (SELECT ${NOW_US} AS now OFFSET 0) AS c,
   LATERAL (SELECT $2::float8 AS cost, $4::float8 AS burst, $5::bigint > 0 AS back, $5::bigint > c.now AS early,
                   greatest(c.now, b.at_us) AS at,
                   (greatest(c.now, b.at_us) - b.at_us) * $3::float8 / 1e6 AS flow) AS d,
   LATERAL (SELECT greatest(0, b.taken - d.flow) AS taken, greatest(0, b.returns - d.flow) AS returns,
                   greatest(0, b.promised - d.flow) AS promised) AS l,
   LATERAL (SELECT NOT d.early AND d.at <= c.now
                     AND CASE WHEN d.back THEN l.taken ELSE l.promised END + d.cost - d.burst <= 1e-6 AS granted,
                   d.at + ceil(greatest(0, CASE WHEN d.back THEN l.returns ELSE l.promised END + d.cost - d.burst)
                               * 1e6 / $3::float8)::bigint AS slot) AS f,
   LATERAL (SELECT f.granted, CASE WHEN d.early THEN $5::bigint WHEN f.granted THEN c.now ELSE f.slot END AS slot,
                   NOT f.granted AND NOT d.early AND f.slot - c.now <= $6::bigint AS promises) AS a,
   LATERAL (SELECT CASE WHEN a.granted THEN l.taken + d.cost ELSE l.taken END AS taken,
                   CASE WHEN a.granted AND d.back THEN greatest(l.returns, l.taken + d.cost)
                        WHEN a.granted OR a.promises AND d.back THEN l.returns + d.cost
                        ELSE l.returns END AS returns) AS m,
   LATERAL (SELECT m.taken, m.returns,
                   CASE WHEN d.back THEN greatest(l.promised, m.returns)
                        WHEN a.granted OR a.promises THEN l.promised + d.cost
                        ELSE l.promised END AS promised) AS n)
RETURNING granted, now_us, slot_us,
          CASE WHEN at_us > now_us THEN 0 ELSE greatest(0, floor($4::float8 - promised)) END AS remaining`;

/** $1 bucket, $2 cost. */
export const GIVE_BACK = `
UPDATE peregrine_rate_bucket SET promised = greatest(returns, promised - $2::float8) WHERE bucket = $1`;

/** $1 bucket, $2 pause in us. */
export const PAUSE = `
INSERT INTO peregrine_rate_bucket AS b
       (bucket, at_us, taken, returns, promised, forgettable_at_us, granted, now_us, slot_us)
SELECT $1, now + $2::bigint, 0, 0, 0, now + $2::bigint, false, now, now
  FROM (SELECT ${NOW_US} AS now OFFSET 0) AS c
ON CONFLICT (bucket) DO UPDATE SET
  at_us = greatest(b.at_us, excluded.at_us),
  returns = b.taken,
  promised = b.taken,
  forgettable_at_us = greatest(b.at_us, excluded.at_us)
    + greatest(0, b.forgettable_at_us - greatest(b.at_us, excluded.now_us))`;

export const SWEEP = `DELETE FROM peregrine_rate_bucket WHERE forgettable_at_us <= ${NOW_US}`;
