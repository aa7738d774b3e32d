CREATE SCHEMA app;
CREATE TABLE app.visits (
  id bigint PRIMARY KEY,
  patient_id uuid NOT NULL,
  status smallint,
  fee numeric(12,2),
  at timestamp UNIQUE
);
CREATE UNIQUE INDEX visit_once ON app.visits (patient_id, status);
CREATE INDEX "visit's fee" ON app.visits (fee DESC) WHERE fee > 10;
CREATE UNIQUE INDEX visit_paid ON app.visits (fee) WHERE fee > 20;
CREATE INDEX visit_status ON app.visits (status);
