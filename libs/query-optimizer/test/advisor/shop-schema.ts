/** A shop with what the advisor knows candidates for. Formulas, no chance: the planner sees the same statistics every time. */
export const SHOP_SCHEMA = `
  CREATE TABLE customer (
    id int PRIMARY KEY, email text NOT NULL, name varchar(80) NOT NULL, country text NOT NULL, is_blocked boolean NOT NULL);
  INSERT INTO customer
    SELECT i, 'User' || i || '@Example.org', 'name ' || md5(i::text), 'country ' || i % 40, i % 50 = 0
    FROM generate_series(1, 3000) i;
  CREATE TABLE "Order Line" (
    id int PRIMARY KEY, "Customer" int NOT NULL REFERENCES customer, status text NOT NULL, placed_at timestamptz NOT NULL,
    shipped_at timestamptz, amount numeric(10, 2) NOT NULL, "select" int NOT NULL);
  INSERT INTO "Order Line"
    SELECT i, 1 + i * 31 % 3000, CASE WHEN i % 100 = 0 THEN 'pending' ELSE 'done' END,
           '2026-01-01'::timestamptz + i * interval '13 minutes',
           CASE WHEN i % 40 <> 0 THEN '2026-02-01'::timestamptz + i * interval '13 minutes' END, i % 977, i % 1009
    FROM generate_series(1, 15000) i;
  CREATE TABLE document (
    id int PRIMARY KEY, title text NOT NULL, body text NOT NULL, tags text[] NOT NULL, attributes jsonb NOT NULL);
  INSERT INTO document
    SELECT i, 'title ' || md5(i::text), 'word' || i % 2000 || ' word' || i % 1999 || ' ' || md5(i::text),
           ARRAY['tag' || i % 500, 'tag' || i % 499], jsonb_build_object('colour', 'c' || i % 600, 'size', i % 700)
    FROM generate_series(1, 2500) i;
  CREATE TABLE measurement (sensor int NOT NULL, at timestamptz NOT NULL, value float8 NOT NULL) PARTITION BY RANGE (at);
  CREATE TABLE measurement_1 PARTITION OF measurement FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE measurement_2 PARTITION OF measurement FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  INSERT INTO measurement
    SELECT i % 300, '2026-01-01'::timestamptz + i * interval '5 minutes', i FROM generate_series(1, 15000) i;
  CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz NOT NULL, message text NOT NULL);
  INSERT INTO log SELECT i, '2026-01-01'::timestamptz + i * interval '1 second', repeat('x', 300) FROM generate_series(1, 15000) i;
  CREATE VIEW open_order AS
    SELECT o.id, o."Customer" AS customer_id, c.name FROM "Order Line" o JOIN customer c ON c.id = o."Customer"
    WHERE o.shipped_at IS NULL;
  VACUUM ANALYZE customer, "Order Line", document, measurement, log;
`;
