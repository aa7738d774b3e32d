CREATE SCHEMA app;
CREATE TABLE app.patients (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, born text, touched timestamptz DEFAULT now());
CREATE TABLE app.visits (
  id bigserial PRIMARY KEY,
  patient_id bigint NOT NULL CONSTRAINT visit_patient REFERENCES app.patients ON DELETE CASCADE DEFERRABLE,
  fee numeric(12,2) CHECK (fee > -2),
  at timestamp UNIQUE,
  day date GENERATED ALWAYS AS (at::date) STORED
);
CREATE INDEX visit_fee ON app.visits (fee) WHERE fee > 10;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no row may fire this''; END';
CREATE TRIGGER touch BEFORE INSERT ON app.patients FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TABLE app.invoices (id integer PRIMARY KEY, visit_id bigint REFERENCES app.visits);
