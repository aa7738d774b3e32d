-- load.orders: public.dispatch_order (source) -> app.orders (target), directly, in chunks by id
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  create.orders
-- locks  ACCESS SHARE on public.dispatch_order in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.orders (COPY)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.dispatch_order'::regclass) AS bytes
FROM public.dispatch_order AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.dispatch_order AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.dispatch_order AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) FILTER (WHERE (not s.is_void)) AS kept
FROM public.dispatch_order AS s
WHERE ($1::text IS NULL OR s.id > $1::integer)
  AND ($2::text IS NULL OR s.id <= $2::integer);

-- transhume: direct on source binds after.1 upto.1 -- all rows but those that fail a guard
COPY (
  SELECT
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('orders:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS id,
    s.id AS legacy_id,
    s."order" AS order_no,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.patient_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS patient_id,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.office_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS office_id,
    CASE s.status WHEN 0 THEN 'draft' WHEN 1 THEN 'submitted' WHEN 2 THEN 'approved' WHEN 3 THEN 'shipped' WHEN 4 THEN 'delivered' WHEN 5 THEN 'cancelled' END AS status,
    s.tax_rate::numeric(6,4) AS tax_rate,
    to_date(s.due, 'DD.MM.YYYY') AS due_on,
    s.total AS total,
    coalesce(s.placed_at, s.created_at)::timestamp with time zone AS placed_at,
    'dispatch'::text AS origin,
    jsonb_build_object('memo', s.memo, 'batch', s."group") AS meta,
    s.items AS items,
    s.created_at AS created_at,
    s.updated_at AS updated_at
  FROM public.dispatch_order AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (not s.is_void)
    AND (s.status IN (0, 1, 2, 3, 4, 5))
    AND (CASE WHEN s.tax_rate COLLATE "C" ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$' THEN s.tax_rate::numeric = round(s.tax_rate::numeric, 4) AND abs(s.tax_rate::numeric) < 1e2 ELSE s.tax_rate IS NULL END)
    AND (CASE WHEN s.due COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.due, 7, 4)::integer, substr(s.due, 4, 2)::integer, 1) + substr(s.due, 1, 2)::integer - 1) = substr(s.due, 1, 2)::integer ELSE s.due IS NULL END)
    AND (s.total IS NOT NULL)
    AND ((s.total >= 0) IS NOT FALSE)
    AND (coalesce(s.placed_at, s.created_at) IS NOT NULL)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY app.orders (
  id,
  legacy_id,
  order_no,
  patient_id,
  office_id,
  status,
  tax_rate,
  due_on,
  total,
  placed_at,
  origin,
  meta,
  items,
  created_at,
  updated_at
) FROM STDIN (FORMAT binary);

-- transhume: failing on source binds after.1 upto.1 -- the rows that fail one
COPY (
  SELECT
    s.id,
    s."order",
    s."group",
    s.patient_id,
    s.office_id,
    s.status,
    s.tax_rate,
    s.due,
    s.items,
    s.total,
    s.memo,
    s.placed_at,
    s.created_at,
    s.updated_at
  FROM public.dispatch_order AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (not s.is_void)
    AND (
      (s.status IN (0, 1, 2, 3, 4, 5))
      AND (CASE WHEN s.tax_rate COLLATE "C" ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$' THEN s.tax_rate::numeric = round(s.tax_rate::numeric, 4) AND abs(s.tax_rate::numeric) < 1e2 ELSE s.tax_rate IS NULL END)
      AND (CASE WHEN s.due COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.due, 7, 4)::integer, substr(s.due, 4, 2)::integer, 1) + substr(s.due, 1, 2)::integer - 1) = substr(s.due, 1, 2)::integer ELSE s.due IS NULL END)
      AND (s.total IS NOT NULL)
      AND ((s.total >= 0) IS NOT FALSE)
      AND (coalesce(s.placed_at, s.created_at) IS NOT NULL)
    ) IS NOT TRUE
) TO STDOUT (FORMAT binary);

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id,
    s."order",
    s."group",
    s.patient_id,
    s.office_id,
    s.status,
    s.tax_rate,
    s.due,
    s.items,
    s.total,
    s.memo,
    s.placed_at,
    s.created_at,
    s.updated_at
  FROM public.dispatch_order AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (not s.is_void)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_orders (
  id integer,
  "order" character varying(16),
  "group" integer,
  patient_id integer,
  office_id integer,
  status smallint,
  tax_rate character varying(12),
  due character varying(10),
  items jsonb,
  total numeric(12,2),
  memo character varying(255),
  placed_at timestamp with time zone,
  created_at timestamp with time zone,
  updated_at timestamp with time zone
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_orders;

-- transhume: fill on target
COPY pg_temp.stage_orders (
  id,
  "order",
  "group",
  patient_id,
  office_id,
  status,
  tax_rate,
  due,
  items,
  total,
  memo,
  placed_at,
  created_at,
  updated_at
) FROM STDIN (FORMAT binary);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'orders', 'public.dispatch_order',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_orders AS s
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.status IN (0, 1, 2, 3, 4, 5), 'status', 'status has no mapping', '22000'),
      (2, CASE WHEN s.tax_rate COLLATE "C" ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$' THEN s.tax_rate::numeric = round(s.tax_rate::numeric, 4) AND abs(s.tax_rate::numeric) < 1e2 ELSE s.tax_rate IS NULL END, 'tax_rate', 'tax_rate is no numeric(6,4)', '22P02'),
      (3, CASE WHEN s.due COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.due, 7, 4)::integer, substr(s.due, 4, 2)::integer, 1) + substr(s.due, 1, 2)::integer - 1) = substr(s.due, 1, 2)::integer ELSE s.due IS NULL END, 'due_on', 'due is no date DD.MM.YYYY', '22007'),
      (4, s.total IS NOT NULL, 'total', 'total is null', '23502'),
      (5, (s.total >= 0) IS NOT FALSE, 'total', 'breaks total_not_negative', '23514'),
      (6, coalesce(s.placed_at, s.created_at) IS NOT NULL, 'placed_at', 'the value of placed_at is null', '23502')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_orders(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_orders AS s WHERE s.ctid > $1 ORDER BY s.ctid);
  done integer := 0;
  size integer := 256;
  bad integer := 0;   -- of the rows up to here one is refused
  last integer := 0;  -- the row that was refused last
  refused integer := 0;
  inserted bigint := 0;
  touched bigint;
BEGIN
  WHILE sift.done < cardinality(sift.rows) AND sift.refused < $2 LOOP
    size := least(sift.size, cardinality(sift.rows) - sift.done);
    BEGIN
INSERT INTO app.orders (
  id,
  legacy_id,
  order_no,
  patient_id,
  office_id,
  status,
  tax_rate,
  due_on,
  total,
  placed_at,
  origin,
  meta,
  items,
  created_at,
  updated_at
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('orders:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  s."order" AS order_no,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.patient_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS patient_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.office_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS office_id,
  CASE s.status WHEN 0 THEN 'draft' WHEN 1 THEN 'submitted' WHEN 2 THEN 'approved' WHEN 3 THEN 'shipped' WHEN 4 THEN 'delivered' WHEN 5 THEN 'cancelled' END AS status,
  s.tax_rate::numeric(6,4) AS tax_rate,
  to_date(s.due, 'DD.MM.YYYY') AS due_on,
  s.total AS total,
  coalesce(s.placed_at, s.created_at) AS placed_at,
  'dispatch'::text AS origin,
  jsonb_build_object('memo', s.memo, 'batch', s."group") AS meta,
  s.items AS items,
  s.created_at AS created_at,
  s.updated_at AS updated_at
FROM pg_temp.stage_orders AS s
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (s.status IN (0, 1, 2, 3, 4, 5))
  AND (CASE WHEN s.tax_rate COLLATE "C" ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$' THEN s.tax_rate::numeric = round(s.tax_rate::numeric, 4) AND abs(s.tax_rate::numeric) < 1e2 ELSE s.tax_rate IS NULL END)
  AND (CASE WHEN s.due COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.due, 7, 4)::integer, substr(s.due, 4, 2)::integer, 1) + substr(s.due, 1, 2)::integer - 1) = substr(s.due, 1, 2)::integer ELSE s.due IS NULL END)
  AND (s.total IS NOT NULL)
  AND ((s.total >= 0) IS NOT FALSE)
  AND (coalesce(s.placed_at, s.created_at) IS NOT NULL);
      GET DIAGNOSTICS touched = ROW_COUNT;
      inserted := sift.inserted + sift.touched;
      done := sift.done + sift.size;
      size := CASE WHEN sift.done < sift.bad THEN greatest((sift.bad - sift.done) / 2, 1) ELSE 2 * sift.size END;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
      bad := sift.done + sift.size;
      IF sift.size > 1 THEN
        size := sift.size / 2;
      ELSE
        GET STACKED DIAGNOSTICS target_column = COLUMN_NAME, reason = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        place := sift.rows[sift.bad];
        RETURN NEXT;
        refused := sift.refused + 1;
        done := sift.bad;
        size := greatest((sift.bad - sift.last) / 2, 1);
        last := sift.bad;
      END IF;
    END;
  END LOOP;
  place := CASE WHEN sift.done < cardinality(sift.rows) THEN sift.rows[sift.done] END;
  loaded := sift.inserted;
  RETURN NEXT;
END
$sift$;
SELECT found.place, found.target_column, found.reason, found.state, found.loaded
FROM pg_temp.sift_orders($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'orders', 'public.dispatch_order',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_orders AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.orders;
