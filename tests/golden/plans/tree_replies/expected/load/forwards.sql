-- load.forwards: transhume.rows_forwards (target) -> app.forwards (target), in chunks by place
-- from   specs/demo/tables/forwards.yaml:1
-- after  create.forwards, tree.forwards
-- locks  ROW EXCLUSIVE on app.forwards (INSERT)
-- undo   truncate: the table was empty

-- transhume: intact on target -- what the hierarchy has kept is still there
SELECT i.intact FROM transhume.intact_forwards AS i;

-- transhume: size on target binds run -- the rows that are kept, and their bytes
SELECT coalesce(sum(c.loaded), 0) AS rows, pg_table_size('transhume.rows_forwards'::regclass) AS bytes
FROM transhume.chunk AS c
WHERE c.run = $1::uuid AND c.step = 'tree.forwards';

-- transhume: split on target binds ranges share -- where each range ends but the last
WITH RECURSIVE part AS (
  SELECT 'transhume.tree_forwards'::regclass::oid AS oid
  UNION
  SELECT child.inhrelid
  FROM part
  JOIN pg_inherits AS child ON child.inhparent = part.oid
), heap AS (
  SELECT
    pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks,
    CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 100 END AS density
  FROM pg_class AS c
  WHERE c.oid IN (SELECT part.oid FROM part)
)
SELECT format('(%s,65535)', page.block) AS ctid
FROM (
  SELECT done.block, done.ranges, lag(done.ranges, 1, 0::bigint) OVER (ORDER BY done.block) AS before
  FROM (
    SELECT
      edge.block,
      floor($1::bigint * sum(heap.density * least(heap.blocks, edge.block + 1)) / sum(heap.density * heap.blocks))::bigint AS ranges
    FROM (SELECT max(heap.blocks) AS blocks FROM heap) AS longest
    CROSS JOIN generate_series(0, longest.blocks - 1, 1 + longest.blocks / ($1::bigint * 100)) AS edge (block)
    CROSS JOIN heap
    GROUP BY edge.block
  ) AS done
) AS page
WHERE page.ranges > page.before AND page.ranges < $1::bigint
ORDER BY page.block;

-- transhume: bound on target binds after.1 upto.1 rows -- where the next chunk ends
WITH RECURSIVE part AS (
  SELECT 'transhume.tree_forwards'::regclass::oid AS oid
  UNION
  SELECT child.inhrelid
  FROM part
  JOIN pg_inherits AS child ON child.inhparent = part.oid
), heap AS (
  SELECT
    pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks,
    CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 100 END AS density
  FROM pg_class AS c
  WHERE c.oid IN (SELECT part.oid FROM part)
)
SELECT
  least(
    format('(%s,65535)', least(page.first + greatest(floor($3::bigint / sum(heap.density)), 1)::bigint, max(heap.blocks)) - 1)::tid,
    $2::tid
  )::text AS ctid,
  NULL::bigint AS rows
FROM heap
CROSS JOIN (
  SELECT coalesce(place.at[0] + (place.at[1] = 65535)::integer, 0)::bigint AS first
  FROM (VALUES ($1::tid::text::point)) AS place (at)
) AS page
WHERE heap.blocks > page.first AND coalesce($1::tid < $2::tid, true)
GROUP BY page.first;

-- transhume: count on target binds after.1 upto.1 -- the rows of the chunk
SELECT count(*) AS rows, count(*) AS kept
FROM transhume.tree_forwards AS node
WHERE ($1::text IS NULL OR node.ctid > $1::tid)
  AND ($2::text IS NULL OR node.ctid <= $2::tid);

-- transhume: load on target binds after.1 upto.1 -- all rows but those that fail a guard
INSERT INTO app.forwards (
  id,
  parent_id,
  path
)
SELECT
  s.id AS id,
  node.parent::integer AS parent_id,
  node.path AS path
FROM transhume.tree_forwards AS node
CROSS JOIN LATERAL (
  SELECT r.id
  FROM transhume.rows_forwards AS r
  WHERE r.ctid = node.place
  OFFSET 0
) AS s
WHERE ($1::text IS NULL OR node.ctid > $1::tid)
  AND ($2::text IS NULL OR node.ctid <= $2::tid);

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_forwards (
  id integer,
  "part in source" oid,
  "place in source" tid
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_forwards;

-- transhume: fill on target binds after.1 upto.1
INSERT INTO pg_temp.stage_forwards (
  id,
  "part in source",
  "place in source"
)
  SELECT
    s.id,
    node.tableoid AS "part in source",
    node.ctid AS "place in source"
  FROM transhume.tree_forwards AS node
CROSS JOIN LATERAL (
  SELECT r.id
  FROM transhume.rows_forwards AS r
  WHERE r.ctid = node.place
  OFFSET 0
) AS s
  WHERE ($1::text IS NULL OR node.ctid > $1::tid)
    AND ($2::text IS NULL OR node.ctid <= $2::tid);

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_forwards(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_forwards AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO app.forwards (
  id,
  parent_id,
  path
)
SELECT
  s.id AS id,
  node.parent::integer AS parent_id,
  node.path AS path
FROM pg_temp.stage_forwards AS s
CROSS JOIN LATERAL (
  SELECT n.* FROM transhume.tree_forwards AS n WHERE n.tableoid = s."part in source" AND n.ctid = s."place in source" OFFSET 0
) AS node
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size];
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
FROM pg_temp.sift_forwards($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'forwards', 'public.message',
  ARRAY[s.id::text],
  to_jsonb(s.*) - 'part in source' - 'place in source',
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_forwards AS s
CROSS JOIN LATERAL (
  SELECT n.* FROM transhume.tree_forwards AS n WHERE n.tableoid = s."part in source" AND n.ctid = s."place in source" OFFSET 0
) AS node
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.forwards;
