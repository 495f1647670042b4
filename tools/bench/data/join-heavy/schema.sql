-- Twenty-one tables about films, persons and companies, in the manner of join-heavy benchmarks: of our own, from formulas, the
-- same every time. Only primary keys are there. bench.scale 1 makes 25,000 films with 350,000 castings.

CREATE FUNCTION chance(number bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS 'SELECT (hashint8extended(number, seed) & 9007199254740991) / 9007199254740992.0';
-- 1 to `most`; `skew` 1 is even, more of it makes small numbers frequent.
CREATE FUNCTION pick(number bigint, seed bigint, most int, skew float8) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS 'SELECT 1 + floor(most * chance(number, seed) ^ skew)::int';
CREATE FUNCTION scaled(rows int) RETURNS int LANGUAGE sql STABLE
  AS 'SELECT greatest(20, (rows * current_setting(''bench.scale'')::float8)::int)';
CREATE FUNCTION word_of(number bigint, seed bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT (ARRAY['dark', 'river', 'king', 'murder', 'love', 'night', 'blood', 'champion', 'return', 'dream', 'city', 'shadow', 'money',
                      'island', 'summer', 'iron', 'sequel', 'marvel', 'ghost', 'train'])[pick(number, seed, 20, 1.5)] $$;
CREATE FUNCTION name_of(number bigint, seed bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT chr(65 + pick(number, seed, 26, 1.2) - 1) || lower(left(md5(number::text || 'x' || seed::text), 5)) $$;

CREATE TABLE film_kind (id int PRIMARY KEY, kind text NOT NULL);
INSERT INTO film_kind SELECT i, (ARRAY['movie', 'episode', 'video', 'tv series', 'tv movie', 'game', 'tv mini'])[i] FROM generate_series(1, 7) i;
CREATE TABLE person_role (id int PRIMARY KEY, role text NOT NULL);
INSERT INTO person_role SELECT i, (ARRAY['actor', 'actress', 'producer', 'writer', 'camera', 'composer', 'costume', 'director', 'editor', 'guest', 'crew', 'design'])[i] FROM generate_series(1, 12) i;
CREATE TABLE company_kind (id int PRIMARY KEY, kind text NOT NULL);
INSERT INTO company_kind SELECT i, (ARRAY['distributors', 'production companies', 'effects companies', 'other companies'])[i] FROM generate_series(1, 4) i;
CREATE TABLE cast_state (id int PRIMARY KEY, kind text NOT NULL);
INSERT INTO cast_state SELECT i, (ARRAY['cast', 'crew', 'complete', 'complete+verified'])[i] FROM generate_series(1, 4) i;
CREATE TABLE link_kind (id int PRIMARY KEY, link text NOT NULL);
INSERT INTO link_kind SELECT i, (ARRAY['follows', 'followed by', 'remake of', 'features', 'references', 'spoofs'])[1 + i % 6] || CASE WHEN i > 6 THEN ' ' || i ELSE '' END FROM generate_series(1, 18) i;
CREATE TABLE fact_kind (id int PRIMARY KEY, info text NOT NULL);
INSERT INTO fact_kind SELECT i, CASE i WHEN 1 THEN 'rating' WHEN 2 THEN 'votes' WHEN 3 THEN 'genres' WHEN 4 THEN 'budget' WHEN 5 THEN 'countries' WHEN 6 THEN 'release dates' WHEN 7 THEN 'bottom 10 rank' WHEN 8 THEN 'top 250 rank' WHEN 9 THEN 'height' WHEN 10 THEN 'biography' ELSE 'fact ' || i END FROM generate_series(1, 113) i;

CREATE TABLE company (id int PRIMARY KEY, name text NOT NULL, country_code varchar(8));
INSERT INTO company SELECT i, initcap(word_of(i, 1)) || ' ' || (ARRAY['Film', 'Pictures', 'Studios', 'Warner', 'Entertainment'])[pick(i, 2, 5, 1)] || ' ' || i,
  CASE WHEN i % 9 > 0 THEN (ARRAY['[us]', '[de]', '[gb]', '[fr]', '[jp]', '[nl]', '[sm]', '[se]'])[pick(i, 3, 8, 2)] END FROM generate_series(1, scaled(2500)) i;
CREATE TABLE word (id int PRIMARY KEY, word text NOT NULL);
INSERT INTO word SELECT i, word_of(i, 4) || '-' || CASE WHEN i % 11 = 0 THEN 'based-on-novel' ELSE word_of(i, 5) END || CASE WHEN i > 300 THEN '-' || i ELSE '' END FROM generate_series(1, scaled(1400)) i;
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL, gender varchar(1), name_code varchar(5));
INSERT INTO person SELECT i, name_of(i, 6) || ', ' || name_of(i / 3, 7), CASE WHEN i % 5 > 0 THEN (ARRAY['m', 'm', 'f'])[pick(i, 8, 3, 1)] END, left(upper(md5(i::text)), 3) || i % 10 FROM generate_series(1, scaled(42000)) i;
CREATE TABLE character (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO character SELECT i, CASE WHEN i % 41 = 0 THEN 'Queen ' WHEN i % 37 = 0 THEN 'Iron Man ' ELSE '' END || name_of(i, 9) FROM generate_series(1, scaled(31000)) i;
CREATE TABLE film (id int PRIMARY KEY, title text NOT NULL, kind_id int NOT NULL, year int, season int, episode int);
INSERT INTO film SELECT i, initcap(word_of(i, 10)) || ' ' || word_of(i, 11) || ' ' || i, pick(i, 12, 7, 2), CASE WHEN i % 31 > 0 THEN 2014 - pick(i, 13, 110, 2.5) END,
  CASE WHEN i % 3 = 0 THEN pick(i, 14, 20, 2) END, CASE WHEN i % 3 = 0 THEN pick(i, 15, 120, 2) END FROM generate_series(1, scaled(25000)) i;

CREATE TABLE film_alias (id int PRIMARY KEY, film_id int NOT NULL, title text NOT NULL, note text);
INSERT INTO film_alias SELECT i, pick(i, 16, scaled(25000), 1.2), initcap(word_of(i, 17)) || ' ' || i, CASE WHEN i % 4 = 0 THEN '(' || word_of(i, 18) || ')' END FROM generate_series(1, scaled(3600)) i;
CREATE TABLE person_alias (id int PRIMARY KEY, person_id int NOT NULL, name text NOT NULL);
INSERT INTO person_alias SELECT i, pick(i, 19, scaled(42000), 1.5), name_of(i, 20) || CASE WHEN i % 6 = 0 THEN ' a.' ELSE ' b' END FROM generate_series(1, scaled(9000)) i;
CREATE TABLE casting (id int PRIMARY KEY, film_id int NOT NULL, person_id int NOT NULL, character_id int, note text, position int, role_id int NOT NULL);
INSERT INTO casting SELECT i, pick(i, 21, scaled(25000), 1.4), pick(i, 22, scaled(42000), 1.6), CASE WHEN i % 2 = 0 THEN pick(i, 23, scaled(31000), 1.8) END,
  CASE pick(i, 24, 9, 1) WHEN 1 THEN '(voice)' WHEN 2 THEN '(uncredited)' WHEN 3 THEN '(producer)' WHEN 4 THEN '(writer)' WHEN 5 THEN '(voice) (uncredited)' END, pick(i, 25, 60, 2), pick(i, 26, 12, 1.8) FROM generate_series(1, scaled(350000)) i;
CREATE TABLE complete_cast (id int PRIMARY KEY, film_id int NOT NULL, subject_id int NOT NULL, status_id int NOT NULL);
INSERT INTO complete_cast SELECT i, pick(i, 27, scaled(25000), 1.1), pick(i, 28, 2, 1), 2 + pick(i, 29, 2, 1) FROM generate_series(1, scaled(3000)) i;
CREATE TABLE film_company (id int PRIMARY KEY, film_id int NOT NULL, company_id int NOT NULL, company_kind_id int NOT NULL, note text);
INSERT INTO film_company SELECT i, pick(i, 30, scaled(25000), 1.2), pick(i, 31, scaled(2500), 2), pick(i, 32, 4, 2), CASE WHEN i % 2 = 0 THEN '(' || 1960 + i % 55 || ') ' || (ARRAY['(USA)', '(Germany)', '(worldwide)', '(TV)', '(as MGM)', '(co-production)', '(presents)'])[pick(i, 33, 7, 1.5)] END FROM generate_series(1, scaled(48000)) i;
CREATE TABLE film_fact (id int PRIMARY KEY, film_id int NOT NULL, fact_kind_id int NOT NULL, value text NOT NULL, note text);
INSERT INTO film_fact SELECT i, pick(i, 34, scaled(25000), 1.2), kind, CASE kind WHEN 3 THEN (ARRAY['Drama', 'Horror', 'Action', 'Sci-Fi', 'Thriller', 'Western', 'Comedy', 'Family'])[pick(i, 35, 8, 1)] WHEN 5 THEN (ARRAY['USA', 'Germany', 'Sweden', 'Denmark', 'Japan', 'Bulgaria'])[pick(i, 36, 6, 1.5)]
  WHEN 6 THEN (ARRAY['USA', 'Japan', 'UK', 'Germany'])[pick(i, 37, 4, 1)] || ': ' || 1950 + i % 64 ELSE md5(i::text) END, CASE WHEN i % 5 = 0 THEN 'internet ' || i % 30 END
  FROM (SELECT i, 2 + pick(i, 38, 111, 3) AS kind FROM generate_series(1, scaled(150000)) i) AS kinds;
CREATE TABLE film_score (id int PRIMARY KEY, film_id int NOT NULL, fact_kind_id int NOT NULL, value text NOT NULL);
INSERT INTO film_score SELECT i, pick(i, 39, scaled(25000), 1.1), (ARRAY[1, 2, 7, 8])[pick(i, 40, 4, 2)], (pick(i, 41, 99, 0.8) / 10.0)::numeric(4, 1)::text FROM generate_series(1, scaled(14000)) i;
CREATE TABLE film_word (id int PRIMARY KEY, film_id int NOT NULL, word_id int NOT NULL);
INSERT INTO film_word SELECT i, pick(i, 42, scaled(25000), 1.6), pick(i, 43, scaled(1400), 2) FROM generate_series(1, scaled(45000)) i;
CREATE TABLE film_link (id int PRIMARY KEY, film_id int NOT NULL, linked_film_id int NOT NULL, link_kind_id int NOT NULL);
INSERT INTO film_link SELECT i, pick(i, 44, scaled(25000), 2), pick(i, 45, scaled(25000), 2), pick(i, 46, 18, 1.5) FROM generate_series(1, scaled(1000)) i;
CREATE TABLE person_fact (id int PRIMARY KEY, person_id int NOT NULL, fact_kind_id int NOT NULL, value text NOT NULL, note text);
INSERT INTO person_fact SELECT i, pick(i, 47, scaled(42000), 1.4), 8 + pick(i, 48, 30, 2), md5(i::text), CASE WHEN i % 20 = 0 THEN 'Volker ' || i % 9 END FROM generate_series(1, scaled(30000)) i;
