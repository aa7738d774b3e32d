CREATE SCHEMA app;
CREATE TABLE app.patients (id integer PRIMARY KEY, name text NOT NULL, born text);
CREATE TABLE app.visits (
  id bigint NOT NULL,
  patient_id integer REFERENCES app.patients,
  fee numeric(12,2),
  at timestamp NOT NULL,
  UNIQUE (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE app.visits_old PARTITION OF app.visits FOR VALUES FROM (MINVALUE) TO ('2025-02-05');
CREATE TABLE app.visits_new PARTITION OF app.visits DEFAULT;
CREATE INDEX ON app.visits (fee);
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no row may fire this''; END';
CREATE TRIGGER touch BEFORE INSERT ON app.visits FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER own BEFORE INSERT ON app.visits_new FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.visits_new ENABLE ALWAYS TRIGGER own;
