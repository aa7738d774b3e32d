-- load.Order Items: public.Order Items (source) -> app.Order Items (target), directly, in chunks by Id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.Order Items
-- locks  ACCESS SHARE on public.Order Items in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.Order Items (COPY)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public."Order Items"'::regclass) AS bytes
FROM public."Order Items" AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample."Id"::text AS "Id"
FROM (
  SELECT
    s."Id",
    row_number() OVER (ORDER BY s."Id") AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public."Order Items" AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page."Id")::text AS "Id", count(*) AS rows
FROM (
  SELECT s."Id"
  FROM public."Order Items" AS s
  WHERE ($1::text IS NULL OR s."Id" > $1::integer)
    AND ($2::text IS NULL OR s."Id" <= $2::integer)
  ORDER BY s."Id"
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- all rows but those that fail a guard
COPY (
  SELECT
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('Order Items:' || s."Id"::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS "Id",
    s."Id" AS legacy_id,
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('"odd.name":' || s."odd.id"::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS "odd.id"
  FROM public."Order Items" AS s
  WHERE ($1::text IS NULL OR s."Id" > $1::integer)
    AND ($2::text IS NULL OR s."Id" <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY app."Order Items" (
  "Id",
  legacy_id,
  "odd.id"
) FROM STDIN (FORMAT binary);

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s."Id",
    s."odd.id"
  FROM public."Order Items" AS s
  WHERE ($1::text IS NULL OR s."Id" > $1::integer)
    AND ($2::text IS NULL OR s."Id" <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp."stage_Order Items" (
  "Id" integer,
  "odd.id" integer
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp."stage_Order Items";

-- transhume: fill on target
COPY pg_temp."stage_Order Items" (
  "Id",
  "odd.id"
) FROM STDIN (FORMAT binary);

-- transhume: halve on source binds after.1 upto.1 -- cuts a part in two, to find the row that fails
SELECT part."Id"::text AS "Id"
FROM (
  SELECT
    s."Id",
    row_number() OVER (ORDER BY s."Id") AS "place in part",
    count(*) OVER () AS "rows of part"
  FROM public."Order Items" AS s
  WHERE ($1::text IS NULL OR s."Id" > $1::integer)
    AND ($2::text IS NULL OR s."Id" <= $2::integer)
) AS part
WHERE part."place in part" = part."rows of part" / 2;

-- transhume: set_aside on target binds first last run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'Order Items', 'public.Order Items',
  ARRAY[s."Id"::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM pg_temp."stage_Order Items" AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: revert on target
TRUNCATE app."Order Items";
