CREATE TABLE patient (id integer PRIMARY KEY, name text);
CREATE TABLE payment (id integer PRIMARY KEY, amount numeric(5,2), at date NOT NULL);
CREATE TABLE payment_1 (CHECK (at < '2025-02-01'), PRIMARY KEY (id)) INHERITS (payment);
CREATE TABLE payment_2 (CHECK (at >= '2025-02-01'), PRIMARY KEY (id)) INHERITS (payment);
INSERT INTO patient VALUES (1, 'a');
INSERT INTO payment_1 SELECT n, n, date '2025-01-01' + n FROM generate_series(1, 20) AS n;
INSERT INTO payment_2 SELECT n, n, date '2025-02-01' + n FROM generate_series(21, 40) AS n;
