-- What a snapshot asks a server: a handful of set-based queries, the same on PostgreSQL 14 to 18.
-- They run in one read-only transaction with an empty search_path, so that every name comes out qualified.
-- `-- query: NAME` starts a query; $1 is the schemas (text[]) or the relations (oid[]), as its line says.

-- query: database
SELECT current_setting('server_version_num')::integer / 10000 AS server,
       current_setting('server_encoding') AS encoding,
       -- the column is datlocale since 17, daticulocale in 15 and 16, and null or missing without ICU
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate::text) AS collation
FROM pg_database AS d
WHERE d.datname = current_database()

-- query: extensions
SELECT e.extname AS name, n.nspname AS schema
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace

-- query: schemas ($1 the schemas asked for; NULL: all but the system's, the runner's and an extension's)
SELECT n.nspname AS name
FROM pg_namespace AS n
WHERE left(n.nspname, 3) <> 'pg_'
  AND n.nspname NOT IN ('information_schema', 'transhume')
  AND CASE
          WHEN $1::text[] IS NOT NULL THEN n.nspname = ANY ($1::text[])
          ELSE NOT EXISTS (
              SELECT FROM pg_depend AS e
              WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
      END

-- query: types (in all schemas: a column may use a type of a schema that is not read)
SELECT n.nspname AS schema,
       format_type(t.oid, NULL) AS name,
       t.typtype AS kind,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
       t.typnotnull AS not_null,
       pg_get_expr(t.typdefaultbin, 'pg_type'::regclass) AS default_expression,
       CASE WHEN t.typcollation <> b.typcollation THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END
           AS collation,
       (SELECT jsonb_object_agg(c.conname, pg_get_constraintdef(c.oid))
        FROM pg_constraint AS c WHERE c.contypid = t.oid AND c.contype = 'c') AS checks,
       (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
        FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes,
       format_type(r.rngsubtype, NULL) AS subtype,
       format_type(r.rngmultitypid, NULL) AS multirange
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_collation AS co ON co.oid = t.typcollation
LEFT JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
WHERE t.typtype IN ('c', 'd', 'e', 'r')
  AND left(n.nspname, 3) <> 'pg_'
  AND n.nspname NOT IN ('information_schema', 'transhume')
  AND (t.typtype <> 'c' OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  AND NOT EXISTS (
      SELECT FROM pg_depend AS e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')

-- query: relations ($1 the schemas)
SELECT c.oid AS relation,
       n.nspname AS schema,
       c.relname AS name,
       CASE c.relkind
           WHEN 'r' THEN 'table'
           WHEN 'p' THEN 'partitioned table'
           WHEN 'v' THEN 'view'
           WHEN 'm' THEN 'materialized view'
           WHEN 'f' THEN 'foreign table'
       END AS kind,
       CASE WHEN c.relkind IN ('v', 'm')
            THEN 'sha256:' || encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex')
       END AS definition,
       pg_get_partkeydef(c.oid) AS partition_by,
       pg_get_expr(c.relpartbound, c.oid) AS partition_bound,
       c.relrowsecurity AS row_security
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname = ANY ($1::text[])
  AND NOT EXISTS (
      SELECT FROM pg_depend AS e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')

-- query: inheritance ($1 the relations)
SELECT i.inhrelid AS child, cn.nspname AS child_schema, c.relname AS child_name,
       i.inhparent AS parent, pn.nspname AS parent_schema, p.relname AS parent_name
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
JOIN pg_class AS p ON p.oid = i.inhparent
JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
WHERE i.inhrelid = ANY ($1::oid[]) OR i.inhparent = ANY ($1::oid[])
ORDER BY i.inhrelid, i.inhseqno

-- query: sizes ($1 the relations; a row for each of them and for each of its descendants, in whatever schema)
WITH RECURSIVE tree AS (
    SELECT c.oid AS relation, c.oid AS member FROM pg_class AS c WHERE c.oid = ANY ($1::oid[])
    UNION
    SELECT t.relation, i.inhrelid FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.member
)
SELECT t.relation,
       t.member,
       n.nspname AS schema,
       c.relname AS name,
       c.relkind = 'f' AS foreign_table,
       c.reltuples AS analysed_rows,
       c.relpages AS analysed_pages,
       pg_relation_size(c.oid) / current_setting('block_size')::integer AS pages,
       has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) AS readable
FROM tree AS t
JOIN pg_class AS c ON c.oid = t.member
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'f')

-- query: columns ($1 the relations)
SELECT a.attrelid AS relation,
       a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type,
       -- a NOT NULL that is not validated (18) promises nothing about the rows that are there
       a.attnotnull AND NOT EXISTS (
           SELECT FROM pg_constraint AS c
           WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND c.conkey[1] = a.attnum AND NOT c.convalidated
       ) AS not_null,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default_expression,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS generated,
       a.attgenerated = 'v' AS virtual,
       CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END
           AS collation
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
LEFT JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum

-- query: constraints ($1 the relations)
SELECT c.conrelid AS relation,
       c.contype AS kind,
       c.conname AS name,
       ARRAY(SELECT a.attname::text
             FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
             ORDER BY k.place) AS columns,
       n.nspname AS referenced_schema,
       r.relname AS referenced_name,
       ARRAY(SELECT a.attname::text
             FROM unnest(c.confkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.attnum
             ORDER BY k.place) AS referenced_columns,
       regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', '') AS definition,
       c.convalidated AS valid
FROM pg_constraint AS c
LEFT JOIN pg_class AS r ON r.oid = c.confrelid
LEFT JOIN pg_namespace AS n ON n.oid = r.relnamespace
WHERE c.conrelid = ANY ($1::oid[])
  AND c.contype IN ('p', 'u', 'x', 'f', 'c')
  -- a foreign key to a partitioned table has a shadow of its own for each partition
  AND NOT EXISTS (SELECT FROM pg_constraint AS p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)

-- query: indexes ($1 the relations; those that no constraint owns)
SELECT i.indrelid AS relation,
       x.relname AS name,
       i.indisunique AS is_unique,
       CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN
           ARRAY(SELECT a.attname::text
                 FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
                 JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE k.place <= i.indnkeyatts
                 ORDER BY k.place)
       END AS columns,
       pg_get_indexdef(i.indexrelid) AS definition,
       i.indisvalid AS valid
FROM pg_index AS i
JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::oid[])
  AND NOT EXISTS (
      SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))

-- query: sequences ($1 the relations; of a column with several: its identity's, its default's, then one it only owns)
SELECT DISTINCT ON (d.relation, d.attnum)
       d.relation, a.attname AS name, n.nspname AS schema, s.relname AS sequence
FROM (
    SELECT refobjid AS relation, refobjsubid AS attnum, objid AS sequence, CASE deptype WHEN 'i' THEN 1 ELSE 3 END AS choice
    FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
      AND refobjid = ANY ($1::oid[]) AND refobjsubid > 0 AND deptype IN ('a', 'i')
    UNION ALL
    SELECT f.adrelid, f.adnum, p.refobjid, 2
    FROM pg_attrdef AS f
    JOIN pg_depend AS p ON p.classid = 'pg_attrdef'::regclass AND p.objid = f.oid AND p.refclassid = 'pg_class'::regclass
    WHERE f.adrelid = ANY ($1::oid[])
) AS d
JOIN pg_class AS s ON s.oid = d.sequence AND s.relkind = 'S'
JOIN pg_namespace AS n ON n.oid = s.relnamespace
JOIN pg_attribute AS a ON a.attrelid = d.relation AND a.attnum = d.attnum
ORDER BY d.relation, d.attnum, d.choice, n.nspname, s.relname

-- query: triggers ($1 the relations; those that were created on them, not the copies on their partitions)
SELECT t.tgrelid AS relation,
       t.tgname AS name,
       pg_get_triggerdef(t.oid) AS definition,
       CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS state
FROM pg_trigger AS t
WHERE t.tgrelid = ANY ($1::oid[]) AND NOT t.tgisinternal AND t.tgparentid = 0

-- query: dependents ($1 the relations)
SELECT DISTINCT d.refobjid AS relation, v.relkind AS kind, r.rulename AS rule, n.nspname AS schema, v.relname AS name
FROM pg_depend AS d
JOIN pg_rewrite AS r ON r.oid = d.objid
JOIN pg_class AS v ON v.oid = r.ev_class
JOIN pg_namespace AS n ON n.oid = v.relnamespace
WHERE d.classid = 'pg_rewrite'::regclass
  AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = ANY ($1::oid[])
  AND NOT (r.rulename = '_RETURN' AND v.oid = d.refobjid)
