//go:build unix

package postgres

import (
	"crypto/rand"
	"strings"
	"testing"
)

// zoo fills a database with one of every kind of thing there is.
func zoo(t *testing.T, w *world) {
	t.Helper()
	roles := strings.NewReplacer("ROLE1", "r1_"+w.name, "ROLE2", "r2_"+w.name)
	w.on("postgres", roles.Replace(`CREATE ROLE "ROLE1"; CREATE ROLE "ROLE2" LOGIN CONNECTION LIMIT 3; GRANT "ROLE1" TO "ROLE2";`))
	t.Cleanup(func() {
		w.dropAll()
		w.on("postgres", roles.Replace(`DROP ROLE "ROLE1"; DROP ROLE "ROLE2"`))
	})
	w.do(roles.Replace(zooSQL))
	w.on("postgres", roles.Replace(`
ALTER DATABASE `+w.name+` SET work_mem = '5MB'; ALTER DATABASE `+w.name+` SET search_path = "$user", public, "Lager";
COMMENT ON DATABASE `+w.name+` IS 'Butikens 100% egna ''databas'' \ här';
GRANT CREATE ON DATABASE `+w.name+` TO "ROLE1"; REVOKE CONNECT ON DATABASE `+w.name+` FROM PUBLIC; ALTER ROLE "ROLE2" IN DATABASE `+w.name+` SET statement_timeout = '7s'`))
	big := make([]byte, 700<<10)
	if _, err := rand.Read(big); err != nil {
		t.Fatal(err)
	}
	conn := w.connect(w.name)
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "SELECT lo_from_bytea(4711, $1)", big); err != nil {
		t.Fatal(err)
	}
}

const zooSQL = `
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gist;
CREATE SCHEMA "Lager" AUTHORIZATION "ROLE1"; COMMENT ON SCHEMA "Lager" IS 'stock';
CREATE TYPE colour AS ENUM ('röd', 'grön', 'blå');
CREATE TYPE money_pair AS (amount numeric(12,2), currency text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN email AS citext CHECK (VALUE ~ '@');
CREATE COLLATION nordic (provider = icu, locale = 'sv-SE');
CREATE SEQUENCE receipt START 1000 INCREMENT 7; SELECT nextval('receipt'); SELECT nextval('receipt');
CREATE SEQUENCE untouched;
CREATE TABLE product (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "Namn" text NOT NULL COLLATE nordic, price numeric(12,2) NOT NULL DEFAULT 0, vat numeric GENERATED ALWAYS AS (price * 0.25) STORED,
  tags hstore, shade colour, pair money_pair, sizes integer[], image bytea, doc jsonb, seen timestamptz, valid span, secret text,
  CONSTRAINT price_ok CHECK (price >= 0));
COMMENT ON TABLE product IS 'what we sell; -- not a comment'; COMMENT ON COLUMN product."Namn" IS E'line 1\nline 2';
INSERT INTO product ("Namn", price, tags, shade, pair, sizes, image, doc, seen, valid)
SELECT 'Vara ' || i, i * 1.1, hstore('n', i::text), (ARRAY['röd','grön','blå'])[1 + i % 3]::colour, ROW(i, 'SEK')::money_pair, ARRAY[i, NULL, -i],
  decode(md5(i::text), 'hex'), jsonb_build_object('i', i, 'text', E'quote '' back\\slash'), timestamptz '2024-02-29 12:00+01' + i * interval '1 minute', span(i, i + 0.1)
FROM generate_series(1, 500) i;
INSERT INTO product ("Namn", secret) VALUES (E'tab\there\nline\r\\.\\N', E'\\.'), ('', NULL), ('\.', '\N'), (repeat('lång rad ', 40000), 'x');
DELETE FROM product WHERE id IN (7, 8);
CREATE INDEX ON product USING gin (tags); CREATE INDEX trgm ON product USING gin ("Namn" gin_trgm_ops); CREATE UNIQUE INDEX part ON product (lower("Namn")) WHERE price > 100;
CREATE TABLE customer (id bigserial PRIMARY KEY, mail email UNIQUE, points positive DEFAULT 1);
INSERT INTO customer (mail) VALUES ('anna@example.se'), ('Bo@Example.se');
SELECT setval('customer_id_seq', 4000);
CREATE TABLE sale (id bigint, at date NOT NULL, product integer REFERENCES product ON DELETE CASCADE, customer bigint REFERENCES customer DEFERRABLE INITIALLY DEFERRED, n positive, PRIMARY KEY (id, at, n)) PARTITION BY RANGE (at);
CREATE TABLE sale_2023 PARTITION OF sale FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE sale_2024 PARTITION OF sale FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (n);
CREATE TABLE sale_2024_one PARTITION OF sale_2024 FOR VALUES IN (1); CREATE TABLE sale_2024_rest PARTITION OF sale_2024 DEFAULT;
INSERT INTO sale SELECT i, date '2023-06-01' + i % 500, 1 + i % 5, 1 + i % 2, 1 + i % 3 FROM generate_series(1, 2000) i;
CREATE TABLE parent (a integer); CREATE TABLE child (b integer) INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
CREATE UNLOGGED TABLE cart (id integer, x text); INSERT INTO cart VALUES (1, 'soon gone');
CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE "Odd ""name"" åäö.; / \ CON" ("Column ""x""" text, "select" integer); INSERT INTO "Odd ""name"" åäö.; / \ CON" VALUES ('a', 1);
CREATE TABLE "PRODUCT" (x integer); INSERT INTO "PRODUCT" VALUES (1);
CREATE TABLE con (x integer);
CREATE TABLE "Lager".product (id integer PRIMARY KEY, room tsrange, EXCLUDE USING gist (id WITH =, room WITH &&)); INSERT INTO "Lager".product VALUES (1, '[2024-01-01,2024-01-02)');
CREATE TABLE loop_a (id integer PRIMARY KEY, b integer); CREATE TABLE loop_b (id integer PRIMARY KEY, a integer REFERENCES loop_a);
INSERT INTO loop_a VALUES (1, 1); INSERT INTO loop_b VALUES (1, 1); ALTER TABLE loop_a ADD CONSTRAINT back FOREIGN KEY (b) REFERENCES loop_b NOT VALID;
CREATE VIEW cheap AS SELECT id, "Namn" FROM product WHERE price < 10; COMMENT ON VIEW cheap IS 'bargains';
CREATE VIEW guarded WITH (security_barrier) AS SELECT * FROM customer WHERE points > 0 WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW totals AS SELECT product, sum(n) AS n FROM sale GROUP BY product; CREATE UNIQUE INDEX ON totals (product);
CREATE MATERIALIZED VIEW over_totals AS SELECT count(*) FROM totals; CREATE MATERIALIZED VIEW asleep AS SELECT 1 AS x WITH NO DATA;
CREATE FUNCTION total(p integer) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT sum(n) FROM public.sale WHERE product = p; $$;
CREATE FUNCTION odd() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN RETURN 'a;b $$ -- no
\restrict me
COPY x FROM stdin;
\.
'; END $body$;
CREATE FUNCTION modern(a integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT a + 1; END;
CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM public.cart';
CREATE AGGREGATE longest (text) (SFUNC = textcat, STYPE = text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := ''2000-01-01''; RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON product FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER sleeping BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE product DISABLE TRIGGER sleeping;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION on_ddl(); ALTER EVENT TRIGGER watch DISABLE;
CREATE RULE quiet AS ON DELETE TO "PRODUCT" DO INSTEAD NOTHING;
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
CREATE CAST (money_pair AS text) WITH INOUT;
CREATE STATISTICS stats1 (dependencies) ON product, n FROM sale_2023;
CREATE TEXT SEARCH CONFIGURATION shop (COPY = swedish);
CREATE PUBLICATION pub FOR TABLE product;
ALTER TABLE customer ENABLE ROW LEVEL SECURITY; ALTER TABLE customer FORCE ROW LEVEL SECURITY; CREATE POLICY own ON customer FOR SELECT TO "ROLE2" USING (id = 1);
ALTER TABLE parent OWNER TO "ROLE1"; GRANT SELECT, UPDATE (price) ON product TO "ROLE2"; REVOKE ALL ON FUNCTION total(integer) FROM PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA "Lager" TO "ROLE2" WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "ROLE2";
SELECT lo_from_bytea(4712, 'hej'); SELECT lo_create(4713); COMMENT ON LARGE OBJECT 4712 IS 'a picture'; GRANT SELECT ON LARGE OBJECT 4712 TO "ROLE2";
CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER fdw; CREATE FOREIGN TABLE far (x integer) SERVER elsewhere;
`
