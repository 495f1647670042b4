-- Eight tables of a trade in the manner of decision-support benchmarks: of our own, from formulas, the same every time.
-- Only primary keys are there. bench.scale 1 makes 150,000 purchases with some 600,000 lines.

CREATE FUNCTION chance(number bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS 'SELECT (hashint8extended(number, seed) & 9007199254740991) / 9007199254740992.0';
-- 1 to `most`; `skew` 1 is even, more of it makes small numbers frequent.
CREATE FUNCTION pick(number bigint, seed bigint, most int, skew float8) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS 'SELECT 1 + floor(most * chance(number, seed) ^ skew)::int';
CREATE FUNCTION scaled(rows int) RETURNS int LANGUAGE sql STABLE
  AS 'SELECT greatest(20, (rows * current_setting(''bench.scale'')::float8)::int)';

CREATE TABLE zone (zone_id int PRIMARY KEY, name text NOT NULL);
INSERT INTO zone VALUES (1, 'NORTH'), (2, 'SOUTH'), (3, 'EAST'), (4, 'WEST'), (5, 'ISLANDS');

CREATE TABLE country (country_id int PRIMARY KEY, zone_id int NOT NULL, name text NOT NULL);
INSERT INTO country SELECT i, 1 + i % 5, 'COUNTRY ' || i FROM generate_series(1, 25) i;

CREATE TABLE vendor (
  vendor_id int PRIMARY KEY, name text NOT NULL, address text NOT NULL, country_id int NOT NULL, phone text NOT NULL,
  balance numeric(12, 2) NOT NULL, note text NOT NULL);
INSERT INTO vendor
  SELECT i, 'Vendor ' || i, md5(i::text), pick(i, 1, 25, 1), (10 + i % 25) || '-' || i, (chance(i, 2) * 11000 - 1000)::numeric(12, 2),
         CASE WHEN i % 97 = 0 THEN 'Buyer complaints of late goods' ELSE 'regular ' || md5((i * 3)::text) END
  FROM generate_series(1, scaled(1000)) i;

CREATE TABLE article (
  article_id int PRIMARY KEY, name text NOT NULL, maker text NOT NULL, brand text NOT NULL, kind text NOT NULL, size int NOT NULL,
  container text NOT NULL, price numeric(12, 2) NOT NULL, note text NOT NULL);
INSERT INTO article
  SELECT i, (ARRAY['green', 'blue', 'forest', 'ivory', 'rose', 'steel', 'sand', 'plum'])[pick(i, 3, 8, 1)] || ' '
            || (ARRAY['lamp', 'chair', 'wheel', 'pump', 'clock', 'valve'])[pick(i, 4, 6, 1)] || ' ' || i,
         'Maker ' || pick(i, 5, 5, 1), 'Brand ' || pick(i, 6, 25, 1),
         (ARRAY['SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'])[pick(i, 7, 5, 1)] || ' '
            || (ARRAY['PLATED', 'BRUSHED', 'POLISHED'])[pick(i, 8, 3, 1)] || ' ' || (ARRAY['TIN', 'STEEL', 'BRASS', 'COPPER'])[pick(i, 9, 4, 1)],
         pick(i, 10, 50, 1), (ARRAY['SM', 'MED', 'LG', 'JUMBO'])[pick(i, 11, 4, 1)] || ' ' || (ARRAY['BOX', 'BAG', 'PACK', 'CAN'])[pick(i, 12, 4, 1)],
         (900 + i % 1000)::numeric(12, 2), md5(i::text)
  FROM generate_series(1, scaled(20000)) i;

CREATE TABLE vendor_article (
  article_id int NOT NULL, vendor_id int NOT NULL, stock int NOT NULL, cost numeric(12, 2) NOT NULL, note text NOT NULL,
  PRIMARY KEY (article_id, vendor_id));
INSERT INTO vendor_article
  SELECT a, 1 + (a * 7 + k * (scaled(1000) / 4 + 1)) % scaled(1000), pick(a * 4 + k, 13, 9999, 1), (1 + chance(a * 4 + k, 14) * 1000)::numeric(12, 2),
         md5((a * 4 + k)::text)
  FROM generate_series(1, scaled(20000)) a, generate_series(0, 3) k
  ON CONFLICT DO NOTHING;

CREATE TABLE buyer (
  buyer_id int PRIMARY KEY, name text NOT NULL, address text NOT NULL, country_id int NOT NULL, phone text NOT NULL,
  balance numeric(12, 2) NOT NULL, segment text NOT NULL, note text NOT NULL);
INSERT INTO buyer
  SELECT i, 'Buyer ' || i, md5(i::text), pick(i, 15, 25, 1), (10 + i % 25) || '-' || i, (chance(i, 16) * 11000 - 1000)::numeric(12, 2),
         (ARRAY['HOUSEHOLD', 'BUILDING', 'MACHINERY', 'FURNITURE', 'MOTOR'])[pick(i, 17, 5, 1.3)], md5((i * 5)::text)
  FROM generate_series(1, scaled(15000)) i;

CREATE TABLE purchase (
  purchase_id int PRIMARY KEY, buyer_id int NOT NULL, status char(1) NOT NULL, total numeric(12, 2) NOT NULL, placed_on date NOT NULL,
  priority text NOT NULL, clerk text NOT NULL, note text NOT NULL);
-- A third of the buyers never buys, and some buy much.
INSERT INTO purchase
  SELECT i, 3 * (pick(i, 18, scaled(15000) / 3, 1.5) - 1) + 1 + pick(i, 19, 2, 1), (ARRAY['F', 'O', 'P'])[pick(i, 20, 3, 1.2)],
         (1000 + chance(i, 21) * 300000)::numeric(12, 2), date '2019-01-01' + pick(i, 22, 2400, 1),
         (ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-LOW', '5-NONE'])[pick(i, 23, 5, 1)], 'Clerk ' || pick(i, 24, 100, 1),
         CASE WHEN i % 83 = 0 THEN 'has special and urgent requests' ELSE md5(i::text) || ' goes quietly' END
  FROM generate_series(1, scaled(150000)) i;

CREATE TABLE purchase_line (
  purchase_id int NOT NULL, line_no int NOT NULL, article_id int NOT NULL, vendor_id int NOT NULL, quantity numeric(12, 2) NOT NULL,
  amount numeric(12, 2) NOT NULL, discount numeric(4, 2) NOT NULL, tax numeric(4, 2) NOT NULL, return_flag char(1) NOT NULL,
  status char(1) NOT NULL, shipped_on date NOT NULL, promised_on date NOT NULL, received_on date NOT NULL,
  instruction text NOT NULL, mode text NOT NULL, note text NOT NULL,
  PRIMARY KEY (purchase_id, line_no));
INSERT INTO purchase_line
  SELECT id, line, article, 1 + (article * 7 + pick(n, 25, 4, 1) * (scaled(1000) / 4 + 1)) % scaled(1000), pick(n, 26, 50, 1),
         (pick(n, 26, 50, 1) * (900 + article % 1000))::numeric(12, 2), pick(n, 27, 11, 1) / 100.0 - 0.01, pick(n, 28, 9, 1) / 100.0 - 0.01,
         CASE WHEN placed + pick(n, 29, 120, 1) > date '2024-06-01' THEN 'N' ELSE (ARRAY['R', 'A'])[pick(n, 30, 2, 1)] END,
         CASE WHEN placed + pick(n, 29, 120, 1) > date '2024-06-01' THEN 'O' ELSE 'F' END,
         placed + pick(n, 29, 120, 1), placed + 30 + pick(n, 31, 60, 1), placed + pick(n, 29, 120, 1) + pick(n, 32, 30, 1),
         (ARRAY['IN PERSON', 'COLLECT', 'NONE', 'RETURN'])[pick(n, 33, 4, 1)],
         (ARRAY['AIR', 'AIR REG', 'SHIP', 'TRUCK', 'RAIL', 'MAIL', 'FOB'])[pick(n, 34, 7, 1)], left(md5(n::text), 12 + n::int % 20)
  FROM (SELECT p.purchase_id AS id, p.placed_on AS placed, line, p.purchase_id * 8::bigint + line AS n,
               pick(p.purchase_id * 8::bigint + line, 35, scaled(20000), 1.2) AS article
        FROM purchase p, generate_series(1, 7) line WHERE line <= 1 + p.purchase_id % 7) AS lines;

CREATE VIEW vendor_quarter AS
  SELECT vendor_id, sum(amount * (1 - discount)) AS revenue
  FROM purchase_line
  WHERE shipped_on >= date '2023-01-01' AND shipped_on < date '2023-01-01' + interval '3 months'
  GROUP BY vendor_id;
