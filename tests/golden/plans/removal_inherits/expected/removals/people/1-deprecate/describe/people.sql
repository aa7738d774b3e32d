-- describe.people: app.people (old_code): described, with what uses it
-- about  nobody reads it any more
-- from   specs/demo/removals/people.yaml:1
-- undo   deletes what was written down

-- transhume: gate on target -- it is what was reviewed
SELECT 'column ' || reviewed.name || ' is not what it was when the plan was reviewed' AS problem
FROM (
  VALUES
    ('old_code', 'character varying(8)', true, '''-''::character varying'),
    ('id', 'bigint', NULL::boolean, NULL)
) AS reviewed (name, type, strict, value)
WHERE NOT EXISTS (
  SELECT
  FROM pg_attribute AS a
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = to_regclass('app.people') AND a.attname = reviewed.name AND NOT a.attisdropped
    AND format_type(a.atttypid, a.atttypmod) = reviewed.type
    AND (reviewed.strict IS NULL OR a.attnotnull = reviewed.strict)
    AND (reviewed.strict IS NULL OR pg_get_expr(d.adbin, d.adrelid) IS NOT DISTINCT FROM reviewed.value)
);

-- transhume: gate on target -- it is what was reviewed
SELECT 'column ' || reviewed.name || ' is not what it was when the plan was reviewed' AS problem
FROM (
  VALUES
    ('old_code', 'character varying(8)', true, '''staff''::character varying'),
    ('id', 'bigint', NULL::boolean, NULL)
) AS reviewed (name, type, strict, value)
WHERE NOT EXISTS (
  SELECT
  FROM pg_attribute AS a
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = to_regclass('app.staff') AND a.attname = reviewed.name AND NOT a.attisdropped
    AND format_type(a.atttypid, a.atttypmod) = reviewed.type
    AND (reviewed.strict IS NULL OR a.attnotnull = reviewed.strict)
    AND (reviewed.strict IS NULL OR pg_get_expr(d.adbin, d.adrelid) IS NOT DISTINCT FROM reviewed.value)
)
UNION ALL
SELECT reviewed.name || ' is not what it was when the plan was reviewed'
FROM (
  VALUES
    ('staff_old', 'CREATE INDEX staff_old ON app.staff USING btree (old_code)')
) AS reviewed (name, definition)
WHERE NOT EXISTS (
    SELECT FROM pg_constraint AS k
    WHERE k.conrelid = to_regclass('app.staff') AND k.conname = reviewed.name
      AND replace(pg_get_constraintdef(k.oid), ' NOT VALID', '') = reviewed.definition
  )
  AND NOT EXISTS (
    SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass('app.staff') AND c.relname = reviewed.name
      AND pg_get_indexdef(i.indexrelid) = reviewed.definition
  );

-- transhume: gate on target -- it is what was reviewed
SELECT 'column ' || reviewed.name || ' is not what it was when the plan was reviewed' AS problem
FROM (
  VALUES
    ('old_code', 'character varying(8)', true, '''-''::character varying'),
    ('id', 'bigint', NULL::boolean, NULL)
) AS reviewed (name, type, strict, value)
WHERE NOT EXISTS (
  SELECT
  FROM pg_attribute AS a
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = to_regclass('app.interns') AND a.attname = reviewed.name AND NOT a.attisdropped
    AND format_type(a.atttypid, a.atttypmod) = reviewed.type
    AND (reviewed.strict IS NULL OR a.attnotnull = reviewed.strict)
    AND (reviewed.strict IS NULL OR pg_get_expr(d.adbin, d.adrelid) IS NOT DISTINCT FROM reviewed.value)
);

-- transhume: gate on target -- its children are those of the plan
WITH RECURSIVE member AS (
  SELECT to_regclass('app.people')::oid AS oid
  UNION
  SELECT i.inhrelid FROM member AS m JOIN pg_inherits AS i ON i.inhparent = m.oid
), reviewed AS (
  SELECT r.name, to_regclass(r.name)::oid AS oid
  FROM (
    VALUES
      ('app.people'),
      ('app.staff'),
      ('app.interns')
  ) AS r (name)
), attribute AS (
  SELECT a.*, (
    SELECT count(*) FROM pg_inherits AS i JOIN member AS p ON p.oid = i.inhparent WHERE i.inhrelid = a.attrelid
  ) AS parents
  FROM member AS m
  JOIN pg_attribute AS a ON a.attrelid = m.oid AND a.attname IN ('old_code', 'zz_removed_old_code') AND NOT a.attisdropped
)
SELECT m.oid::regclass || ' is a child that the plan does not know: its rows are not in the backup' AS problem
FROM member AS m
WHERE NOT EXISTS (SELECT FROM reviewed AS r WHERE r.oid = m.oid)
UNION ALL
SELECT r.name || ' is no child any more'
FROM reviewed AS r
WHERE NOT EXISTS (SELECT FROM member AS m WHERE m.oid = r.oid)
UNION ALL
SELECT 'column ' || a.attname || ' of ' || a.attrelid::regclass || ' would stay: it is its own too, or that of another parent'
FROM attribute AS a
WHERE a.parents > 0 AND (a.attislocal OR a.attinhcount <> a.parents)
UNION ALL
SELECT 'NOT NULL of column ' || a.attname || ' of ' || a.attrelid::regclass || ' has another name than that of its parent'
FROM attribute AS a
JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'n' AND a.attnum = ANY (k.conkey)
WHERE a.parents > 0 AND k.coninhcount > 0 AND NOT EXISTS (
  SELECT
  FROM pg_inherits AS i
  JOIN pg_constraint AS p ON p.conrelid = i.inhparent AND p.contype = 'n' AND p.conname = k.conname
  WHERE i.inhrelid = a.attrelid
)
UNION ALL
SELECT m.oid::regclass || ' has no unique key over the columns by which the backup finds its rows'
FROM member AS m
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C") AS names, bool_and(a.attnotnull) AS strict
    FROM generate_series(0, i.indnkeyatts - 1) AS n
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
  ) AS k
  WHERE i.indrelid = m.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
    AND i.indnkeyatts = 1 AND k.strict AND k.names = ARRAY['id']
);

-- transhume: gate on target -- everything that uses it is named
SELECT u.dependent || ': ' || CASE u.effect
  WHEN 'forbids' THEN 'the server never drops such a column'
  WHEN 'refuses' THEN 'the server refuses to drop the columns while it is there'
  WHEN 'rebuilt' THEN 'built on what the server refuses for'
  WHEN 'vanishes' THEN 'goes with the columns, and the removal does not name it'
  WHEN 'breaks' THEN 'names a column in its text, and fails without it'
  ELSE 'changes its shape or its meaning, and the removal does not name it'
END AS problem
FROM (
  -- Everything that uses columns of a table, and what becomes of it when they are dropped (docs/analyse.md).
  -- PostgreSQL 14 to 18, under an empty search_path; nothing is locked, and no row of a table is read.
  WITH RECURSIVE asked AS (
      SELECT 'app'::text AS nsp, 'people'::text AS rel, ARRAY['old_code']::text[] AS cols
  ),
  goal AS (
      SELECT x.col, c.oid AS relid, coalesce(a.attnum, 0) AS attnum,
             '(?<!\w)' || regexp_replace(coalesce(a.attname, c.relname), '(\W)', '\\\1', 'g') || '(?!\w)' AS names_col,
             '(?<!\w)' || regexp_replace(c.relname, '(\W)', '\\\1', 'g') || '(?!\w)' AS names_rel
      FROM asked AS q
      JOIN pg_namespace AS n ON n.nspname = q.nsp
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = q.rel
      JOIN unnest(q.cols) AS x (col) ON true
      LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = x.col AND a.attnum > 0 AND NOT a.attisdropped
      WHERE a.attnum IS NOT NULL OR x.col = '*'  -- the table itself
  ),
  
  -- The column in partitions and INHERITS children; they lose theirs, unless it is their own too or has another parent.
  below AS (
      SELECT col, relid, attnum, false AS child FROM goal
      UNION
      SELECT b.col, a.attrelid, a.attnum, true
      FROM below AS b
      JOIN pg_inherits AS i ON i.inhparent = b.relid
      JOIN pg_attribute AS a ON a.attrelid = i.inhrelid AND a.attname = b.col AND NOT a.attisdropped
  ),
  kept AS (
      SELECT b.col, b.relid, b.attnum
      FROM below AS b
      JOIN pg_attribute AS a ON a.attrelid = b.relid AND a.attnum = b.attnum
      WHERE b.child
        AND (a.attislocal OR EXISTS (
            SELECT
            FROM pg_inherits AS i
            JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = b.col AND NOT p.attisdropped
            WHERE i.inhrelid = b.relid AND NOT EXISTS (
                SELECT FROM below AS o WHERE o.col = b.col AND o.relid = i.inhparent)))
      UNION
      SELECT b.col, b.relid, b.attnum
      FROM kept AS k
      JOIN pg_inherits AS i ON i.inhparent = k.relid
      JOIN below AS b ON b.col = k.col AND b.relid = i.inhrelid
  ),
  gone AS (
      SELECT b.* FROM below AS b WHERE NOT EXISTS (SELECT FROM kept AS k WHERE k.col = b.col AND k.relid = b.relid)
  ),
  
  -- What goes with the column without a word: automatic and internal dependencies, and theirs.
  doomed AS (
      SELECT col, 'pg_class'::regclass::oid AS classid, relid AS objid, attnum::integer AS objsubid FROM gone
      UNION
      SELECT p.col, d.classid, d.objid, d.objsubid
      FROM doomed AS p
      JOIN pg_depend AS d
        ON d.refclassid = p.classid AND d.refobjid = p.objid AND (p.objsubid = 0 OR d.refobjsubid = p.objsubid)
      WHERE d.deptype IN ('a', 'i', 'P', 'S')
        AND NOT (d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid IN (SELECT relid FROM gone))
  ),
  -- What makes RESTRICT refuse: a normal dependency on any of that, or being what some of that is a part of.
  refusing AS (
      SELECT p.col, d.classid, d.objid, d.objsubid
      FROM doomed AS p
      JOIN pg_depend AS d
        ON d.refclassid = p.classid AND d.refobjid = p.objid AND (p.objsubid = 0 OR d.refobjsubid = p.objsubid)
      WHERE d.deptype = 'n'
      UNION
      SELECT p.col, d.refclassid, d.refobjid, d.refobjsubid
      FROM doomed AS p
      JOIN pg_depend AS d ON d.classid = p.classid AND d.objid = p.objid AND d.objsubid = p.objsubid
      WHERE d.deptype = 'i'
        AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT relid FROM gone))
  ),
  -- And what is built on those, with the longest way to it: what has the greatest level is dropped first.
  rebuilt AS (
      SELECT r.col, r.classid, r.objid, r.objsubid, 1 AS level
      FROM refusing AS r
      WHERE NOT EXISTS (
          SELECT FROM doomed AS x
          WHERE x.col = r.col AND x.classid = r.classid AND x.objid = r.objid AND x.objsubid IN (0, r.objsubid))
      UNION
      SELECT b.col, x.classid, x.objid, x.objsubid, b.level + x.step
      FROM rebuilt AS b
      CROSS JOIN LATERAL (
          SELECT d.classid, d.objid, d.objsubid, CASE d.deptype WHEN 'i' THEN 0 ELSE 1 END AS step
          FROM pg_depend AS d
          WHERE d.refclassid = b.classid AND d.refobjid = b.objid AND (b.objsubid = 0 OR d.refobjsubid = b.objsubid)
            AND d.deptype IN ('n', 'a', 'i', 'P', 'S')
            AND NOT (d.classid = 'pg_rewrite'::regclass AND EXISTS (  -- a view's own query
                SELECT FROM pg_rewrite AS r WHERE r.oid = d.objid AND r.rulename = '_RETURN' AND r.ev_class = b.objid))
          UNION ALL
          SELECT d.refclassid, d.refobjid, d.refobjsubid, 0  -- a query's view, an expression's generated column
          FROM pg_depend AS d
          WHERE d.classid = b.classid AND d.objid = b.objid AND d.objsubid = b.objsubid AND d.deptype = 'i'
            AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0 AND d.refobjid IN (SELECT relid FROM gone))
      ) AS x
      WHERE b.level < 64
  ),
  
  -- Whole rows and row types: DROP COLUMN succeeds, and what uses them changes its shape or its meaning.
  rowtype AS (
      SELECT DISTINCT c.reltype AS typid FROM gone AS g JOIN pg_class AS c ON c.oid = g.relid
      UNION
      SELECT x.typid
      FROM rowtype AS r
      CROSS JOIN LATERAL (
          SELECT t.oid AS typid FROM pg_type AS t WHERE r.typid IN (t.typelem, t.typbasetype)
          UNION ALL
          SELECT c.reltype
          FROM pg_attribute AS a
          JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'c'
          WHERE a.atttypid = r.typid AND a.attnum > 0 AND NOT a.attisdropped
      ) AS x
  ),
  wholerow AS (
      SELECT ':varattno 0 :vartype (' || string_agg(DISTINCT c.reltype::text, '|') || ') ' AS pattern
      FROM gone AS g
      JOIN pg_class AS c ON c.oid = g.relid
  ),
  near AS (
      SELECT DISTINCT classid, objid FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid IN (SELECT relid FROM gone)
  ),
  shaped AS (
      SELECT n.classid, n.objid, 0 AS objsubid, 'whole row' AS detail
      FROM near AS n
      LEFT JOIN pg_rewrite AS r ON n.classid = 'pg_rewrite'::regclass AND r.oid = n.objid
      LEFT JOIN pg_proc AS f ON n.classid = 'pg_proc'::regclass AND f.oid = n.objid
      LEFT JOIN pg_constraint AS k ON n.classid = 'pg_constraint'::regclass AND k.oid = n.objid
      LEFT JOIN pg_index AS i ON n.classid = 'pg_class'::regclass AND i.indexrelid = n.objid
      LEFT JOIN pg_trigger AS t ON n.classid = 'pg_trigger'::regclass AND t.oid = n.objid
      LEFT JOIN pg_policy AS p ON n.classid = 'pg_policy'::regclass AND p.oid = n.objid
      JOIN wholerow AS w
        ON concat(r.ev_action::text, r.ev_qual::text, f.prosqlbody::text, k.conbin::text, i.indexprs::text, i.indpred::text,
                  t.tgqual::text, p.polqual::text, p.polwithcheck::text) ~ w.pattern
      UNION ALL
      SELECT 'pg_class'::regclass, a.attrelid, a.attnum, 'row type'
      FROM pg_attribute AS a
      JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'c', 'f')
      WHERE a.atttypid IN (SELECT typid FROM rowtype) AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT 'pg_proc'::regclass, p.oid, 0, 'row type'
      FROM pg_proc AS p
      WHERE EXISTS (
          SELECT FROM rowtype AS r
          WHERE r.typid = p.prorettype OR r.typid = ANY (p.proargtypes) OR r.typid = ANY (p.proallargtypes))
  ),
  
  -- Text that pg_depend does not see: bodies of functions, arguments of triggers.
  body AS (
      SELECT p.oid, p.prosrc AS text, p.prosrc ~* '(?<!\w)execute(?!\w)' AS dynamic,
             EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgfoid = p.oid AND t.tgrelid IN (SELECT relid FROM gone)) AS fired,
             EXISTS (SELECT FROM rowtype AS r WHERE r.typid = p.prorettype OR r.typid = ANY (p.proargtypes)) AS typed
      FROM pg_proc AS p
      JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
      WHERE p.oid >= 16384 AND p.prosqlbody IS NULL  -- the server's own are below that
        AND NOT EXISTS (
            SELECT FROM pg_depend AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
  ),
  said AS (
      SELECT g.col, 'pg_proc'::regclass AS classid, b.oid AS objid,
             CASE WHEN b.fired OR b.typed OR b.text ~* g.names_rel THEN 'breaks' ELSE 'perhaps' END AS effect,
             format('names it %s times%s%s', (SELECT count(*) FROM regexp_matches(b.text, g.names_col, 'gi')),
                    CASE WHEN b.fired THEN ', for a trigger of the table'
                         WHEN b.typed THEN ', and uses the row type'
                         WHEN b.text ~* g.names_rel THEN ', and the table'
                         ELSE ', but not the table' END,
                    CASE WHEN b.dynamic THEN '; has dynamic SQL' END) AS detail
      FROM goal AS g
      JOIN body AS b ON b.text ~* g.names_col
      UNION ALL
      SELECT g.col, 'pg_proc'::regclass, b.oid, 'changes', 'takes whole rows of the table, or has dynamic SQL'
      FROM goal AS g
      JOIN body AS b ON b.text ~* g.names_rel AND b.text !~* g.names_col
      WHERE b.dynamic OR b.text ~* '((select|distinct|all)\s|,\s*|\.)\*|%\s*rowtype|insert\s+into\s+\S+\s+(values|select|table)(?!\w)'
      UNION ALL
      SELECT g.col, 'pg_proc'::regclass, b.oid, 'changes', 'takes NEW or OLD as a whole'
      FROM goal AS g
      JOIN body AS b ON b.fired AND b.text !~* g.names_col
      WHERE g.attnum > 0 AND regexp_replace(b.text, 'return\s+(new|old)(?!\w)', '', 'gi') ~* '(?<!\w)(new|old)(?!\w)(?!\s*\.\s*[\w"])'
      UNION ALL
      SELECT g.col, 'pg_trigger'::regclass, t.oid, 'breaks', 'its name is an argument'
      FROM goal AS g
      JOIN pg_trigger AS t ON replace(encode(t.tgargs, 'escape'), '\000', ' ') ~* g.names_col
      WHERE (g.attnum > 0 AND t.tgrelid IN (SELECT relid FROM gone))
         OR (t.tgrelid NOT IN (SELECT relid FROM gone) AND replace(encode(t.tgargs, 'escape'), '\000', ' ') ~* g.names_rel)
      UNION ALL
      SELECT g.col, 'pg_trigger'::regclass, t.oid, 'perhaps', 'its name is an argument, for another table'
      FROM goal AS g
      JOIN pg_trigger AS t ON replace(encode(t.tgargs, 'escape'), '\000', ' ') ~* g.names_col
      WHERE t.tgrelid NOT IN (SELECT relid FROM gone)
      UNION ALL
      SELECT g.col, 'pg_trigger'::regclass, t.oid, 'perhaps', 'runs a compiled function: what it reads is not known'
      FROM goal AS g
      JOIN pg_trigger AS t ON t.tgrelid = g.relid AND NOT t.tgisinternal AND g.attnum > 0
      JOIN pg_proc AS p ON p.oid = t.tgfoid
      JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname IN ('internal', 'c')
  ),
  
  -- All of it, by object: a view in place of its query, a generated column in place of its expression.
  found AS (
      SELECT col, classid, objid, objsubid, 'vanishes' AS effect, 0 AS level, '' AS detail FROM doomed
      UNION ALL
      SELECT col, classid, objid, objsubid, CASE WHEN bool_or(level = 1) THEN 'refuses' ELSE 'rebuilt' END, max(level), ''
      FROM rebuilt
      GROUP BY col, classid, objid, objsubid
      UNION ALL
      SELECT g.col, s.classid, s.objid, s.objsubid, 'changes', 0, s.detail FROM shaped AS s, goal AS g WHERE g.attnum > 0
      UNION ALL
      SELECT col, classid, objid, 0, effect, 0, detail FROM said
      UNION ALL
      SELECT k.col, 'pg_class'::regclass, k.relid, k.attnum, 'changes', 0, 'stays, as a column of its own' FROM kept AS k
  ),
  folded AS (
      SELECT f.col, f.effect, f.level, f.detail,
             CASE WHEN r.oid IS NOT NULL OR d.oid IS NOT NULL THEN 'pg_class'::regclass ELSE f.classid END AS classid,
             coalesce(r.ev_class, d.adrelid, f.objid) AS objid,
             coalesce(CASE WHEN r.oid IS NOT NULL THEN 0 END, d.adnum, f.objsubid) AS objsubid
      FROM found AS f
      LEFT JOIN pg_rewrite AS r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid AND r.rulename = '_RETURN'
      LEFT JOIN (pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> '')
        ON f.classid = 'pg_attrdef'::regclass AND d.oid = f.objid
  ),
  -- Without what is a part of something else that is there: copies on partitions, indexes of constraints, row types,
  -- constraints of triggers; of a table that goes, all that is only its own.
  objects AS (
      SELECT f.*, i.type, i.object_names AS names, i.object_args AS args
      FROM folded AS f
      LEFT JOIN pg_class AS c ON f.classid = 'pg_class'::regclass AND c.oid = f.objid
      LEFT JOIN pg_constraint AS k ON f.classid = 'pg_constraint'::regclass AND k.oid = f.objid
      LEFT JOIN pg_trigger AS t ON f.classid = 'pg_trigger'::regclass AND t.oid = f.objid
      LEFT JOIN pg_proc AS p ON f.classid IN ('pg_proc'::regclass, 'pg_trigger'::regclass) AND p.oid IN (f.objid, t.tgfoid)
      CROSS JOIN LATERAL pg_identify_object_as_address(f.classid, f.objid, f.objsubid) AS i
      WHERE f.classid <> 'pg_type'::regclass
        AND NOT (f.col = '*' AND f.effect = 'vanishes' AND f.classid <> 'pg_publication_rel'::regclass
                 AND c.relkind IS DISTINCT FROM 'S')
        AND NOT EXISTS (
            SELECT FROM goal AS g
            WHERE f.classid = 'pg_class'::regclass AND f.objid = g.relid AND f.objsubid = g.attnum AND f.effect = 'vanishes')
        AND NOT EXISTS (
            SELECT FROM pg_attrdef AS d JOIN gone AS g ON g.relid = d.adrelid AND g.attnum = d.adnum
            WHERE f.classid = 'pg_attrdef'::regclass AND d.oid = f.objid)
        AND NOT EXISTS (
            SELECT FROM pg_constraint AS o
            WHERE c.relkind IN ('i', 'I') AND o.conindid = c.oid AND o.contype IN ('p', 'u', 'x'))
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
        AND c.relispartition IS NOT TRUE
        AND NOT EXISTS (  -- a generated column that a child inherits
            SELECT FROM pg_attribute AS a
            WHERE f.effect IN ('refuses', 'rebuilt') AND f.classid = 'pg_class'::regclass AND a.attrelid = f.objid
              AND a.attnum = f.objsubid AND a.attinhcount > 0 AND NOT a.attislocal)
        AND c.relnamespace IS DISTINCT FROM 'pg_toast'::regnamespace
        AND (k.oid IS NULL OR (k.conparentid = 0 AND k.contype NOT IN ('n', 't') AND (k.conislocal OR k.contype <> 'c')))
        AND (t.oid IS NULL OR (t.tgparentid = 0 AND NOT t.tgisinternal))
        AND NOT EXISTS (
            SELECT FROM pg_namespace AS n
            WHERE n.nspname = 'transhume' AND n.oid IN (c.relnamespace, p.pronamespace, k.connamespace))
  ),
  one AS (
      SELECT DISTINCT ON (o.col, o.classid, o.objid, o.objsubid)
             o.*,
             ARRAY(SELECT CASE WHEN x.n ~ '[."]' THEN '"' || replace(x.n, '"', '""') || '"' ELSE x.n END
                   FROM unnest(o.names) WITH ORDINALITY AS x (n, place) ORDER BY x.place) AS parts
      FROM objects AS o
      ORDER BY o.col, o.classid, o.objid, o.objsubid,
               array_position(ARRAY['refuses', 'rebuilt', 'vanishes', 'breaks', 'changes', 'perhaps'], o.effect), o.detail
  ),
  dependents AS (
      SELECT o.col, o.effect, o.level, o.detail,
             CASE
                 WHEN o.type LIKE '% column' THEN 'column ' || array_to_string(o.parts, '.')
                 WHEN o.type = 'default value' THEN 'default ' || array_to_string(o.parts, '.')
                 WHEN o.type = 'statistics object' THEN 'statistics ' || array_to_string(o.parts, '.')
                 WHEN o.type = 'publication relation'
                 THEN format('publication %s', o.args[1]) ||
                      CASE WHEN o.names = ARRAY[q.nsp, q.rel] THEN '' ELSE ' of ' || array_to_string(o.parts, '.') END
                 WHEN o.type IN ('table constraint', 'trigger', 'rule', 'policy')
                 THEN format('%s %s on %s.%s', replace(o.type, 'table ', ''), o.parts[3], o.parts[1], o.parts[2])
                 WHEN o.classid = 'pg_proc'::regclass
                 THEN format('%s %s(%s)', o.type, array_to_string(o.parts, '.'), (
                     SELECT string_agg(format_type(a.typid, NULL), ', ' ORDER BY a.place)
                     FROM pg_proc AS p, unnest(p.proargtypes) WITH ORDINALITY AS a (typid, place) WHERE p.oid = o.objid))
                 ELSE o.type || ' ' || array_to_string(o.parts, '.')
             END AS dependent,
             CASE o.classid
                 WHEN 'pg_constraint'::regclass THEN pg_get_constraintdef(o.objid)
                 WHEN 'pg_trigger'::regclass THEN pg_get_triggerdef(o.objid)
                 WHEN 'pg_rewrite'::regclass THEN pg_get_ruledef(o.objid)
                 WHEN 'pg_statistic_ext'::regclass THEN pg_get_statisticsobjdef(o.objid)
                 WHEN 'pg_attrdef'::regclass THEN (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d WHERE d.oid = o.objid)
                 WHEN 'pg_proc'::regclass
                 THEN (SELECT CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END FROM pg_proc AS p WHERE p.oid = o.objid)
                 WHEN 'pg_policy'::regclass THEN (
                     SELECT concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), '/',
                                      pg_get_expr(p.polwithcheck, p.polrelid))
                     FROM pg_policy AS p WHERE p.oid = o.objid)
                 WHEN 'pg_class'::regclass THEN (
                     SELECT CASE
                                WHEN o.objsubid <> 0 THEN (
                                    SELECT format_type(a.atttypid, a.atttypmod) || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
                                    FROM pg_attribute AS a
                                    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                                    WHERE a.attrelid = o.objid AND a.attnum = o.objsubid)
                                WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid)
                                WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid)
                            END
                     FROM pg_class AS c WHERE c.oid = o.objid)
             END AS definition
      FROM one AS o, asked AS q
  ),
  
  -- What is the column's own, and goes with it; what the server never lets go.
  own AS (
      SELECT g.col, 'lost' AS effect, x.what, x.detail
      FROM goal AS g
      JOIN pg_class AS c ON c.oid = g.relid
      JOIN pg_attribute AS a ON a.attrelid = g.relid AND a.attnum = g.attnum
      JOIN pg_type AS y ON y.oid = a.atttypid
      CROSS JOIN LATERAL (
          VALUES
              ('not null', CASE WHEN a.attnotnull THEN '' END),
              ('identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END),
              ('default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d WHERE d.adrelid = g.relid AND d.adnum = g.attnum)),
              ('comment', col_description(g.relid, g.attnum)),
              ('grants', (SELECT string_agg(format('%s to %s', x.privilege_type, coalesce(r.rolname, 'PUBLIC')), ', '
                                            ORDER BY x.privilege_type, r.rolname)
                          FROM aclexplode(a.attacl) AS x LEFT JOIN pg_roles AS r ON r.oid = x.grantee)),
              ('security label', (SELECT string_agg(l.provider || ': ' || l.label, ', ' ORDER BY l.provider) FROM pg_seclabel AS l
                                  WHERE l.classoid = 'pg_class'::regclass AND l.objoid = g.relid AND l.objsubid = g.attnum)),
              ('statistics target', CASE WHEN coalesce(a.attstattarget, -1) <> -1 THEN a.attstattarget::text END),
              ('storage', CASE WHEN a.attstorage <> y.typstorage THEN
                  CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' WHEN 'x' THEN 'extended' END END),
              ('compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
              ('options', (SELECT string_agg(o, ', ') FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_%')),  -- 15.20 has its own
              ('foreign options', array_to_string(a.attfdwoptions, ', ')),
              ('replica identity', (SELECT x.relname FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
                                    WHERE i.indrelid = g.relid AND i.indisreplident AND g.attnum = ANY (i.indkey))),
              ('clustered', (SELECT x.relname FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
                             WHERE i.indrelid = g.relid AND i.indisclustered AND g.attnum = ANY (i.indkey))),
              ('published', (SELECT string_agg(p.pubname, ', ' ORDER BY p.pubname) FROM pg_publication_tables AS p, asked AS q
                             WHERE p.schemaname = q.nsp AND p.tablename = q.rel))
      ) AS x (what, detail)
      UNION ALL
      SELECT g.col, 'forbids', 'inherited column', 'it is dropped where it comes from'
      FROM goal AS g
      JOIN pg_attribute AS a ON a.attrelid = g.relid AND a.attnum = g.attnum AND a.attinhcount > 0
      UNION ALL
      SELECT g.col, 'forbids', 'typed table', format_type(c.reloftype, NULL)
      FROM goal AS g
      JOIN pg_class AS c ON c.oid = g.relid AND c.reloftype <> 0 AND g.attnum > 0
      UNION ALL
      SELECT g.col, 'forbids', format('partition key of %s.%s', n.nspname, c.relname), pg_get_partkeydef(c.oid)
      FROM gone AS g
      JOIN pg_partitioned_table AS p ON p.partrelid = g.relid
      JOIN pg_class AS c ON c.oid = g.relid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE g.attnum > 0 AND (g.attnum = ANY (p.partattrs) OR p.partexprs::text ~ (':varattno ' || g.attnum || ' '))
  )
  SELECT col AS "column", effect, dependent, level,
         CASE WHEN effect <> 'perhaps' THEN left(encode(sha256(convert_to(definition, 'UTF8')), 'hex'), 16) END AS digest, detail
  FROM dependents
  UNION ALL
  SELECT col, effect, what, 0, NULL, detail FROM own WHERE detail IS NOT NULL
  ORDER BY 1, 2, 3
) AS u
WHERE u.effect IN ('forbids', 'refuses', 'rebuilt', 'vanishes', 'breaks', 'changes') AND u.dependent NOT IN (
  'column app.staff.old_code',
  'column app.interns.old_code',
  'index app.staff_old',
  'constraint people_old on app.people'
)
ORDER BY 1;

-- transhume: gate on target -- no row is hidden from the backup
SELECT 'policies hide rows of ' || c.oid::regclass || ' from ' || current_user AS problem
FROM pg_class AS c
WHERE c.oid = to_regclass('app.people') AND row_security_active(c.oid)
UNION ALL
SELECT current_user || ' may not set session_replication_role, without which a restore fires the application''s triggers: '
  || 'GRANT SET ON PARAMETER session_replication_role TO ' || quote_ident(current_user)
WHERE NOT has_parameter_privilege(current_user, 'session_replication_role', 'SET');

-- transhume: apply on target
INSERT INTO transhume.removal_descriptor (project, removal, column_name, descriptor)
SELECT 'demo', 'people', 'old_code', (
SELECT jsonb_build_object(
 'type', format_type(a.atttypid,a.atttypmod),
 'type_schema', (SELECT n.nspname FROM pg_type y JOIN pg_namespace n ON n.oid=y.typnamespace WHERE y.oid=a.atttypid),
 'collation', (SELECT quote_ident(n.nspname)||'.'||quote_ident(co.collname) FROM pg_collation co JOIN pg_namespace n ON n.oid=co.collnamespace WHERE co.oid=a.attcollation),
 'not_null', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
 'default', pg_get_expr(d.adbin,d.adrelid),
 'comment', col_description(c.oid,a.attnum),
 'stats_target', a.attstattarget, 'storage', a.attstorage, 'compression', a.attcompression,
 'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_attver=%'), 'fdw_options', a.attfdwoptions,
 'acl', (SELECT jsonb_agg(jsonb_build_object('grantor',pg_get_userbyid(x.grantor),'grantee',CASE WHEN x.grantee=0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,'priv',x.privilege_type,'go',x.is_grantable) ORDER BY x.grantor,x.grantee,x.privilege_type) FROM aclexplode(a.attacl) x),
 'seclabels', (SELECT jsonb_agg(jsonb_build_object('p',provider,'l',label)) FROM pg_seclabel WHERE classoid='pg_class'::regclass AND objoid=c.oid AND objsubid=a.attnum),
 'constraints', (SELECT jsonb_agg(jsonb_build_object('table',k.conrelid::regclass::text,'name',k.conname,'type',k.contype,'def',pg_get_constraintdef(k.oid),'valid',k.convalidated,'comment',obj_description(k.oid,'pg_constraint'),'index_def',CASE WHEN k.contype IN ('p','u','x') THEN pg_get_indexdef(k.conindid) END,
                    'clustered',(SELECT i.indisclustered FROM pg_index i WHERE i.indexrelid=k.conindid AND k.contype<>'f'),'replident',(SELECT i.indisreplident FROM pg_index i WHERE i.indexrelid=k.conindid AND k.contype<>'f'),
                    'tgenabled',(SELECT jsonb_agg(tgenabled ORDER BY tgtype,tgfoid) FROM pg_trigger WHERE tgconstraint=k.oid)) ORDER BY k.conrelid::regclass::text,k.conname)
    FROM pg_constraint k WHERE (k.conrelid=c.oid AND a.attnum=ANY(k.conkey)) OR (k.confrelid=c.oid AND a.attnum=ANY(k.confkey)) OR (k.conrelid=c.oid AND k.contype='x' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_class'::regclass AND p.objid=k.conindid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum))),
 'indexes', (SELECT jsonb_agg(jsonb_build_object('name',i.indexrelid::regclass::text,'def',pg_get_indexdef(i.indexrelid),'unique',i.indisunique,'valid',i.indisvalid,'clustered',i.indisclustered,'replident',i.indisreplident,'comment',obj_description(i.indexrelid,'pg_class'),
                    'tablespace',(SELECT spcname FROM pg_tablespace ts WHERE ts.oid=ic.reltablespace),
                    'stats',(SELECT jsonb_agg(jsonb_build_array(x.attnum,x.attstattarget) ORDER BY x.attnum) FROM pg_attribute x WHERE x.attrelid=i.indexrelid AND x.attstattarget<>-1)) ORDER BY i.indexrelid::regclass::text)
    FROM pg_index i JOIN pg_class ic ON ic.oid=i.indexrelid WHERE i.indrelid=c.oid AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid=i.indexrelid AND k.contype IN ('p','u','x'))
      AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_class'::regclass AND p.objid=i.indexrelid AND p.refclassid='pg_class'::regclass AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'ext_stats', (SELECT jsonb_agg(jsonb_build_object('name',s.stxnamespace::regnamespace||'.'||quote_ident(s.stxname),'def',pg_get_statisticsobjdef(s.oid),'target',s.stxstattarget,'owner',pg_get_userbyid(s.stxowner),'comment',obj_description(s.oid,'pg_statistic_ext')) ORDER BY s.stxname)
    FROM pg_statistic_ext s WHERE s.stxrelid=c.oid AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_statistic_ext'::regclass AND p.objid=s.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'policies', (SELECT jsonb_agg(jsonb_build_object('table',po.polrelid::regclass::text,'name',po.polname,'cmd',po.polcmd,'permissive',po.polpermissive,'roles',(SELECT jsonb_agg(CASE WHEN r=0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END) FROM unnest(po.polroles) r),'using',pg_get_expr(po.polqual,po.polrelid),'check',pg_get_expr(po.polwithcheck,po.polrelid),'comment',obj_description(po.oid,'pg_policy')) ORDER BY po.polname)
    FROM pg_policy po WHERE EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_policy'::regclass AND p.objid=po.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'triggers', (SELECT jsonb_agg(jsonb_build_object('table',t.tgrelid::regclass::text,'name',t.tgname,'def',pg_get_triggerdef(t.oid),'enabled',t.tgenabled,'comment',obj_description(t.oid,'pg_trigger')) ORDER BY t.tgname)
    FROM pg_trigger t WHERE NOT t.tgisinternal AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_trigger'::regclass AND p.objid=t.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'rules', (SELECT jsonb_agg(jsonb_build_object('table',r.ev_class::regclass::text,'name',r.rulename,'def',pg_get_ruledef(r.oid),'enabled',r.ev_enabled) ORDER BY r.rulename)
    FROM pg_rewrite r WHERE r.rulename<>'_RETURN' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_rewrite'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'generated_cols', (SELECT jsonb_agg(jsonb_build_object('col',ga.attname,'type',format_type(ga.atttypid,ga.atttypmod),'expr',pg_get_expr(gd.adbin,gd.adrelid)) ORDER BY ga.attname)
    FROM pg_attribute ga JOIN pg_attrdef gd ON gd.adrelid=ga.attrelid AND gd.adnum=ga.attnum WHERE ga.attrelid=c.oid AND ga.attgenerated<>'' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_attrdef'::regclass AND p.objid=gd.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'publications', (SELECT jsonb_agg(jsonb_build_object('pub',pb.pubname,'cols',(SELECT jsonb_agg(x.attname ORDER BY x.attname) FROM pg_attribute x WHERE x.attrelid=c.oid AND x.attnum=ANY(r.prattrs::int2[])),'where',pg_get_expr(r.prqual,r.prrelid)) ORDER BY pb.pubname)
    FROM pg_publication_rel r JOIN pg_publication pb ON pb.oid=r.prpubid WHERE r.prrelid=c.oid AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_publication_rel'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'sequences', (SELECT jsonb_agg(jsonb_build_object('name',s.seqrelid::regclass::text,'type',format_type(s.seqtypid,NULL),'start',s.seqstart,'inc',s.seqincrement,'min',s.seqmin,'max',s.seqmax,'cache',s.seqcache,'cycle',s.seqcycle,'deptype',p.deptype,'acl',(SELECT relacl::text FROM pg_class WHERE oid=s.seqrelid)))
    FROM pg_sequence s JOIN pg_depend p ON p.classid='pg_class'::regclass AND p.objid=s.seqrelid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum AND p.deptype IN ('a','i')),
 'views', (SELECT jsonb_agg(jsonb_build_object('name',v.oid::regclass::text,'kind',v.relkind,'def',pg_get_viewdef(v.oid),'owner',pg_get_userbyid(v.relowner),'opts',v.reloptions,'acl',v.relacl::text,'comment',obj_description(v.oid,'pg_class'),
        'col_acl',(SELECT jsonb_agg(jsonb_build_array(x.attname,x.attacl::text) ORDER BY x.attname) FROM pg_attribute x WHERE x.attrelid=v.oid AND x.attacl IS NOT NULL),
        'triggers',(SELECT jsonb_agg(pg_get_triggerdef(t.oid) ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid=v.oid AND NOT t.tgisinternal),
        'indexes',(SELECT jsonb_agg(pg_get_indexdef(i.indexrelid) ORDER BY 1) FROM pg_index i WHERE i.indrelid=v.oid),'populated',v.relispopulated) ORDER BY v.oid::regclass::text)
    FROM pg_class v WHERE v.relkind IN ('v','m') AND EXISTS (SELECT 1 FROM pg_rewrite r JOIN pg_depend p ON p.classid='pg_rewrite'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum WHERE r.ev_class=v.oid)),
 'functions', (SELECT jsonb_agg(jsonb_build_object('name',f.oid::regprocedure::text,'def',pg_get_functiondef(f.oid),'owner',pg_get_userbyid(f.proowner),'acl',f.proacl::text,'comment',obj_description(f.oid,'pg_proc')) ORDER BY f.oid::regprocedure::text)
    FROM pg_proc f WHERE EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_proc'::regclass AND p.objid=f.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'table_replident', c.relreplident
) FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace JOIN pg_attribute a ON a.attrelid=c.oid LEFT JOIN pg_attrdef d ON d.adrelid=c.oid AND d.adnum=a.attnum
WHERE n.nspname='app' AND c.relname='people' AND a.attname='old_code' AND a.attnum>0 AND NOT a.attisdropped
) UNION ALL
SELECT 'demo', 'people', 'app.staff.old_code', (
SELECT jsonb_build_object(
 'type', format_type(a.atttypid,a.atttypmod),
 'type_schema', (SELECT n.nspname FROM pg_type y JOIN pg_namespace n ON n.oid=y.typnamespace WHERE y.oid=a.atttypid),
 'collation', (SELECT quote_ident(n.nspname)||'.'||quote_ident(co.collname) FROM pg_collation co JOIN pg_namespace n ON n.oid=co.collnamespace WHERE co.oid=a.attcollation),
 'not_null', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
 'default', pg_get_expr(d.adbin,d.adrelid),
 'comment', col_description(c.oid,a.attnum),
 'stats_target', a.attstattarget, 'storage', a.attstorage, 'compression', a.attcompression,
 'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_attver=%'), 'fdw_options', a.attfdwoptions,
 'acl', (SELECT jsonb_agg(jsonb_build_object('grantor',pg_get_userbyid(x.grantor),'grantee',CASE WHEN x.grantee=0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,'priv',x.privilege_type,'go',x.is_grantable) ORDER BY x.grantor,x.grantee,x.privilege_type) FROM aclexplode(a.attacl) x),
 'seclabels', (SELECT jsonb_agg(jsonb_build_object('p',provider,'l',label)) FROM pg_seclabel WHERE classoid='pg_class'::regclass AND objoid=c.oid AND objsubid=a.attnum),
 'constraints', (SELECT jsonb_agg(jsonb_build_object('table',k.conrelid::regclass::text,'name',k.conname,'type',k.contype,'def',pg_get_constraintdef(k.oid),'valid',k.convalidated,'comment',obj_description(k.oid,'pg_constraint'),'index_def',CASE WHEN k.contype IN ('p','u','x') THEN pg_get_indexdef(k.conindid) END,
                    'clustered',(SELECT i.indisclustered FROM pg_index i WHERE i.indexrelid=k.conindid AND k.contype<>'f'),'replident',(SELECT i.indisreplident FROM pg_index i WHERE i.indexrelid=k.conindid AND k.contype<>'f'),
                    'tgenabled',(SELECT jsonb_agg(tgenabled ORDER BY tgtype,tgfoid) FROM pg_trigger WHERE tgconstraint=k.oid)) ORDER BY k.conrelid::regclass::text,k.conname)
    FROM pg_constraint k WHERE (k.conrelid=c.oid AND a.attnum=ANY(k.conkey)) OR (k.confrelid=c.oid AND a.attnum=ANY(k.confkey)) OR (k.conrelid=c.oid AND k.contype='x' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_class'::regclass AND p.objid=k.conindid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum))),
 'indexes', (SELECT jsonb_agg(jsonb_build_object('name',i.indexrelid::regclass::text,'def',pg_get_indexdef(i.indexrelid),'unique',i.indisunique,'valid',i.indisvalid,'clustered',i.indisclustered,'replident',i.indisreplident,'comment',obj_description(i.indexrelid,'pg_class'),
                    'tablespace',(SELECT spcname FROM pg_tablespace ts WHERE ts.oid=ic.reltablespace),
                    'stats',(SELECT jsonb_agg(jsonb_build_array(x.attnum,x.attstattarget) ORDER BY x.attnum) FROM pg_attribute x WHERE x.attrelid=i.indexrelid AND x.attstattarget<>-1)) ORDER BY i.indexrelid::regclass::text)
    FROM pg_index i JOIN pg_class ic ON ic.oid=i.indexrelid WHERE i.indrelid=c.oid AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid=i.indexrelid AND k.contype IN ('p','u','x'))
      AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_class'::regclass AND p.objid=i.indexrelid AND p.refclassid='pg_class'::regclass AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'ext_stats', (SELECT jsonb_agg(jsonb_build_object('name',s.stxnamespace::regnamespace||'.'||quote_ident(s.stxname),'def',pg_get_statisticsobjdef(s.oid),'target',s.stxstattarget,'owner',pg_get_userbyid(s.stxowner),'comment',obj_description(s.oid,'pg_statistic_ext')) ORDER BY s.stxname)
    FROM pg_statistic_ext s WHERE s.stxrelid=c.oid AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_statistic_ext'::regclass AND p.objid=s.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'policies', (SELECT jsonb_agg(jsonb_build_object('table',po.polrelid::regclass::text,'name',po.polname,'cmd',po.polcmd,'permissive',po.polpermissive,'roles',(SELECT jsonb_agg(CASE WHEN r=0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END) FROM unnest(po.polroles) r),'using',pg_get_expr(po.polqual,po.polrelid),'check',pg_get_expr(po.polwithcheck,po.polrelid),'comment',obj_description(po.oid,'pg_policy')) ORDER BY po.polname)
    FROM pg_policy po WHERE EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_policy'::regclass AND p.objid=po.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'triggers', (SELECT jsonb_agg(jsonb_build_object('table',t.tgrelid::regclass::text,'name',t.tgname,'def',pg_get_triggerdef(t.oid),'enabled',t.tgenabled,'comment',obj_description(t.oid,'pg_trigger')) ORDER BY t.tgname)
    FROM pg_trigger t WHERE NOT t.tgisinternal AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_trigger'::regclass AND p.objid=t.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'rules', (SELECT jsonb_agg(jsonb_build_object('table',r.ev_class::regclass::text,'name',r.rulename,'def',pg_get_ruledef(r.oid),'enabled',r.ev_enabled) ORDER BY r.rulename)
    FROM pg_rewrite r WHERE r.rulename<>'_RETURN' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_rewrite'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'generated_cols', (SELECT jsonb_agg(jsonb_build_object('col',ga.attname,'type',format_type(ga.atttypid,ga.atttypmod),'expr',pg_get_expr(gd.adbin,gd.adrelid)) ORDER BY ga.attname)
    FROM pg_attribute ga JOIN pg_attrdef gd ON gd.adrelid=ga.attrelid AND gd.adnum=ga.attnum WHERE ga.attrelid=c.oid AND ga.attgenerated<>'' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_attrdef'::regclass AND p.objid=gd.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'publications', (SELECT jsonb_agg(jsonb_build_object('pub',pb.pubname,'cols',(SELECT jsonb_agg(x.attname ORDER BY x.attname) FROM pg_attribute x WHERE x.attrelid=c.oid AND x.attnum=ANY(r.prattrs::int2[])),'where',pg_get_expr(r.prqual,r.prrelid)) ORDER BY pb.pubname)
    FROM pg_publication_rel r JOIN pg_publication pb ON pb.oid=r.prpubid WHERE r.prrelid=c.oid AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_publication_rel'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'sequences', (SELECT jsonb_agg(jsonb_build_object('name',s.seqrelid::regclass::text,'type',format_type(s.seqtypid,NULL),'start',s.seqstart,'inc',s.seqincrement,'min',s.seqmin,'max',s.seqmax,'cache',s.seqcache,'cycle',s.seqcycle,'deptype',p.deptype,'acl',(SELECT relacl::text FROM pg_class WHERE oid=s.seqrelid)))
    FROM pg_sequence s JOIN pg_depend p ON p.classid='pg_class'::regclass AND p.objid=s.seqrelid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum AND p.deptype IN ('a','i')),
 'views', (SELECT jsonb_agg(jsonb_build_object('name',v.oid::regclass::text,'kind',v.relkind,'def',pg_get_viewdef(v.oid),'owner',pg_get_userbyid(v.relowner),'opts',v.reloptions,'acl',v.relacl::text,'comment',obj_description(v.oid,'pg_class'),
        'col_acl',(SELECT jsonb_agg(jsonb_build_array(x.attname,x.attacl::text) ORDER BY x.attname) FROM pg_attribute x WHERE x.attrelid=v.oid AND x.attacl IS NOT NULL),
        'triggers',(SELECT jsonb_agg(pg_get_triggerdef(t.oid) ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid=v.oid AND NOT t.tgisinternal),
        'indexes',(SELECT jsonb_agg(pg_get_indexdef(i.indexrelid) ORDER BY 1) FROM pg_index i WHERE i.indrelid=v.oid),'populated',v.relispopulated) ORDER BY v.oid::regclass::text)
    FROM pg_class v WHERE v.relkind IN ('v','m') AND EXISTS (SELECT 1 FROM pg_rewrite r JOIN pg_depend p ON p.classid='pg_rewrite'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum WHERE r.ev_class=v.oid)),
 'functions', (SELECT jsonb_agg(jsonb_build_object('name',f.oid::regprocedure::text,'def',pg_get_functiondef(f.oid),'owner',pg_get_userbyid(f.proowner),'acl',f.proacl::text,'comment',obj_description(f.oid,'pg_proc')) ORDER BY f.oid::regprocedure::text)
    FROM pg_proc f WHERE EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_proc'::regclass AND p.objid=f.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'table_replident', c.relreplident
) FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace JOIN pg_attribute a ON a.attrelid=c.oid LEFT JOIN pg_attrdef d ON d.adrelid=c.oid AND d.adnum=a.attnum
WHERE n.nspname='app' AND c.relname='staff' AND a.attname='old_code' AND a.attnum>0 AND NOT a.attisdropped
) UNION ALL
SELECT 'demo', 'people', 'app.interns.old_code', (
SELECT jsonb_build_object(
 'type', format_type(a.atttypid,a.atttypmod),
 'type_schema', (SELECT n.nspname FROM pg_type y JOIN pg_namespace n ON n.oid=y.typnamespace WHERE y.oid=a.atttypid),
 'collation', (SELECT quote_ident(n.nspname)||'.'||quote_ident(co.collname) FROM pg_collation co JOIN pg_namespace n ON n.oid=co.collnamespace WHERE co.oid=a.attcollation),
 'not_null', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
 'default', pg_get_expr(d.adbin,d.adrelid),
 'comment', col_description(c.oid,a.attnum),
 'stats_target', a.attstattarget, 'storage', a.attstorage, 'compression', a.attcompression,
 'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_attver=%'), 'fdw_options', a.attfdwoptions,
 'acl', (SELECT jsonb_agg(jsonb_build_object('grantor',pg_get_userbyid(x.grantor),'grantee',CASE WHEN x.grantee=0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,'priv',x.privilege_type,'go',x.is_grantable) ORDER BY x.grantor,x.grantee,x.privilege_type) FROM aclexplode(a.attacl) x),
 'seclabels', (SELECT jsonb_agg(jsonb_build_object('p',provider,'l',label)) FROM pg_seclabel WHERE classoid='pg_class'::regclass AND objoid=c.oid AND objsubid=a.attnum),
 'constraints', (SELECT jsonb_agg(jsonb_build_object('table',k.conrelid::regclass::text,'name',k.conname,'type',k.contype,'def',pg_get_constraintdef(k.oid),'valid',k.convalidated,'comment',obj_description(k.oid,'pg_constraint'),'index_def',CASE WHEN k.contype IN ('p','u','x') THEN pg_get_indexdef(k.conindid) END,
                    'clustered',(SELECT i.indisclustered FROM pg_index i WHERE i.indexrelid=k.conindid AND k.contype<>'f'),'replident',(SELECT i.indisreplident FROM pg_index i WHERE i.indexrelid=k.conindid AND k.contype<>'f'),
                    'tgenabled',(SELECT jsonb_agg(tgenabled ORDER BY tgtype,tgfoid) FROM pg_trigger WHERE tgconstraint=k.oid)) ORDER BY k.conrelid::regclass::text,k.conname)
    FROM pg_constraint k WHERE (k.conrelid=c.oid AND a.attnum=ANY(k.conkey)) OR (k.confrelid=c.oid AND a.attnum=ANY(k.confkey)) OR (k.conrelid=c.oid AND k.contype='x' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_class'::regclass AND p.objid=k.conindid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum))),
 'indexes', (SELECT jsonb_agg(jsonb_build_object('name',i.indexrelid::regclass::text,'def',pg_get_indexdef(i.indexrelid),'unique',i.indisunique,'valid',i.indisvalid,'clustered',i.indisclustered,'replident',i.indisreplident,'comment',obj_description(i.indexrelid,'pg_class'),
                    'tablespace',(SELECT spcname FROM pg_tablespace ts WHERE ts.oid=ic.reltablespace),
                    'stats',(SELECT jsonb_agg(jsonb_build_array(x.attnum,x.attstattarget) ORDER BY x.attnum) FROM pg_attribute x WHERE x.attrelid=i.indexrelid AND x.attstattarget<>-1)) ORDER BY i.indexrelid::regclass::text)
    FROM pg_index i JOIN pg_class ic ON ic.oid=i.indexrelid WHERE i.indrelid=c.oid AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid=i.indexrelid AND k.contype IN ('p','u','x'))
      AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_class'::regclass AND p.objid=i.indexrelid AND p.refclassid='pg_class'::regclass AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'ext_stats', (SELECT jsonb_agg(jsonb_build_object('name',s.stxnamespace::regnamespace||'.'||quote_ident(s.stxname),'def',pg_get_statisticsobjdef(s.oid),'target',s.stxstattarget,'owner',pg_get_userbyid(s.stxowner),'comment',obj_description(s.oid,'pg_statistic_ext')) ORDER BY s.stxname)
    FROM pg_statistic_ext s WHERE s.stxrelid=c.oid AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_statistic_ext'::regclass AND p.objid=s.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'policies', (SELECT jsonb_agg(jsonb_build_object('table',po.polrelid::regclass::text,'name',po.polname,'cmd',po.polcmd,'permissive',po.polpermissive,'roles',(SELECT jsonb_agg(CASE WHEN r=0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END) FROM unnest(po.polroles) r),'using',pg_get_expr(po.polqual,po.polrelid),'check',pg_get_expr(po.polwithcheck,po.polrelid),'comment',obj_description(po.oid,'pg_policy')) ORDER BY po.polname)
    FROM pg_policy po WHERE EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_policy'::regclass AND p.objid=po.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'triggers', (SELECT jsonb_agg(jsonb_build_object('table',t.tgrelid::regclass::text,'name',t.tgname,'def',pg_get_triggerdef(t.oid),'enabled',t.tgenabled,'comment',obj_description(t.oid,'pg_trigger')) ORDER BY t.tgname)
    FROM pg_trigger t WHERE NOT t.tgisinternal AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_trigger'::regclass AND p.objid=t.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'rules', (SELECT jsonb_agg(jsonb_build_object('table',r.ev_class::regclass::text,'name',r.rulename,'def',pg_get_ruledef(r.oid),'enabled',r.ev_enabled) ORDER BY r.rulename)
    FROM pg_rewrite r WHERE r.rulename<>'_RETURN' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_rewrite'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'generated_cols', (SELECT jsonb_agg(jsonb_build_object('col',ga.attname,'type',format_type(ga.atttypid,ga.atttypmod),'expr',pg_get_expr(gd.adbin,gd.adrelid)) ORDER BY ga.attname)
    FROM pg_attribute ga JOIN pg_attrdef gd ON gd.adrelid=ga.attrelid AND gd.adnum=ga.attnum WHERE ga.attrelid=c.oid AND ga.attgenerated<>'' AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_attrdef'::regclass AND p.objid=gd.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'publications', (SELECT jsonb_agg(jsonb_build_object('pub',pb.pubname,'cols',(SELECT jsonb_agg(x.attname ORDER BY x.attname) FROM pg_attribute x WHERE x.attrelid=c.oid AND x.attnum=ANY(r.prattrs::int2[])),'where',pg_get_expr(r.prqual,r.prrelid)) ORDER BY pb.pubname)
    FROM pg_publication_rel r JOIN pg_publication pb ON pb.oid=r.prpubid WHERE r.prrelid=c.oid AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_publication_rel'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'sequences', (SELECT jsonb_agg(jsonb_build_object('name',s.seqrelid::regclass::text,'type',format_type(s.seqtypid,NULL),'start',s.seqstart,'inc',s.seqincrement,'min',s.seqmin,'max',s.seqmax,'cache',s.seqcache,'cycle',s.seqcycle,'deptype',p.deptype,'acl',(SELECT relacl::text FROM pg_class WHERE oid=s.seqrelid)))
    FROM pg_sequence s JOIN pg_depend p ON p.classid='pg_class'::regclass AND p.objid=s.seqrelid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum AND p.deptype IN ('a','i')),
 'views', (SELECT jsonb_agg(jsonb_build_object('name',v.oid::regclass::text,'kind',v.relkind,'def',pg_get_viewdef(v.oid),'owner',pg_get_userbyid(v.relowner),'opts',v.reloptions,'acl',v.relacl::text,'comment',obj_description(v.oid,'pg_class'),
        'col_acl',(SELECT jsonb_agg(jsonb_build_array(x.attname,x.attacl::text) ORDER BY x.attname) FROM pg_attribute x WHERE x.attrelid=v.oid AND x.attacl IS NOT NULL),
        'triggers',(SELECT jsonb_agg(pg_get_triggerdef(t.oid) ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid=v.oid AND NOT t.tgisinternal),
        'indexes',(SELECT jsonb_agg(pg_get_indexdef(i.indexrelid) ORDER BY 1) FROM pg_index i WHERE i.indrelid=v.oid),'populated',v.relispopulated) ORDER BY v.oid::regclass::text)
    FROM pg_class v WHERE v.relkind IN ('v','m') AND EXISTS (SELECT 1 FROM pg_rewrite r JOIN pg_depend p ON p.classid='pg_rewrite'::regclass AND p.objid=r.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum WHERE r.ev_class=v.oid)),
 'functions', (SELECT jsonb_agg(jsonb_build_object('name',f.oid::regprocedure::text,'def',pg_get_functiondef(f.oid),'owner',pg_get_userbyid(f.proowner),'acl',f.proacl::text,'comment',obj_description(f.oid,'pg_proc')) ORDER BY f.oid::regprocedure::text)
    FROM pg_proc f WHERE EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid='pg_proc'::regclass AND p.objid=f.oid AND p.refobjid=c.oid AND p.refobjsubid=a.attnum)),
 'table_replident', c.relreplident
) FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace JOIN pg_attribute a ON a.attrelid=c.oid LEFT JOIN pg_attrdef d ON d.adrelid=c.oid AND d.adnum=a.attnum
WHERE n.nspname='app' AND c.relname='interns' AND a.attname='old_code' AND a.attnum>0 AND NOT a.attisdropped
);

INSERT INTO transhume.removal_dependent (project, removal, effect, kind, identity)
SELECT 'demo', 'people', live.effect, live.kind, live.identity
FROM (
WITH RECURSIVE tree AS (
  SELECT a.attrelid AS relid, a.attnum::integer AS attnum, a.attname AS column_name
  FROM pg_attribute AS a
  WHERE a.attrelid = to_regclass('app.people') AND a.attname IN ('old_code', 'zz_removed_old_code') AND NOT a.attisdropped
  UNION ALL
  SELECT i.inhrelid, c.attnum::integer, c.attname
  FROM tree AS t
  JOIN pg_inherits AS i ON i.inhparent = t.relid
  JOIN pg_attribute AS c ON c.attrelid = i.inhrelid AND c.attname = t.column_name AND NOT c.attisdropped
), doomed AS (
  SELECT 'pg_class'::regclass::oid AS classid, relid AS objid, attnum AS objsubid, 0 AS depth FROM tree
  UNION
  SELECT d.classid, d.objid, d.objsubid, p.depth + 1
  FROM doomed AS p
  JOIN pg_depend AS d
    ON d.refclassid = p.classid AND d.refobjid = p.objid AND (p.objsubid = 0 OR d.refobjsubid = p.objsubid)
  WHERE d.deptype IN ('a', 'i', 'P', 'S') AND p.depth < 16
    AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT relid FROM tree) AND d.objsubid = 0)
), goes AS (
  SELECT DISTINCT classid, objid, objsubid FROM doomed
), edge AS (
  SELECT d.classid, d.objid, d.objsubid
  FROM goes AS p
  JOIN pg_depend AS d
    ON d.refclassid = p.classid AND d.refobjid = p.objid AND (p.objsubid = 0 OR d.refobjsubid = p.objsubid)
  WHERE d.deptype = 'n'
    AND NOT EXISTS (SELECT FROM goes AS x WHERE (x.classid, x.objid, x.objsubid) = (d.classid, d.objid, d.objsubid))
  UNION
  SELECT d.refclassid, d.refobjid, d.refobjsubid
  FROM goes AS p
  JOIN pg_depend AS d ON d.classid = p.classid AND d.objid = p.objid AND d.objsubid = p.objsubid AND d.deptype = 'i'
  WHERE NOT EXISTS (
      SELECT FROM goes AS x
      WHERE (x.classid, x.objid) = (d.refclassid, d.refobjid) AND x.objsubid IN (0, d.refobjsubid)
    )
    AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT relid FROM tree))
), blocks AS (
  SELECT classid, objid, objsubid, 1 AS depth FROM edge
  UNION
  SELECT x.classid, x.objid, x.objsubid, b.depth + 1
  FROM blocks AS b
  CROSS JOIN LATERAL (
    SELECT d.classid, d.objid, d.objsubid
    FROM pg_depend AS d
    WHERE d.refclassid = b.classid AND d.refobjid = b.objid AND (b.objsubid = 0 OR d.refobjsubid = b.objsubid)
      AND NOT (b.classid = 'pg_class'::regclass AND b.objid IN (SELECT relid FROM tree))
    UNION ALL
    SELECT d.refclassid, d.refobjid, d.refobjsubid
    FROM pg_depend AS d
    WHERE d.classid = b.classid AND d.objid = b.objid AND d.deptype = 'i' AND b.classid = 'pg_rewrite'::regclass
  ) AS x
  WHERE b.depth < 16
), found AS (
  SELECT classid, objid, objsubid, 'goes' AS effect FROM doomed WHERE depth > 0
  UNION
  SELECT classid, objid, objsubid, CASE min(depth) WHEN 1 THEN 'blocks' ELSE 'above' END
  FROM blocks
  WHERE (classid, objid, objsubid) NOT IN (SELECT classid, objid, objsubid FROM goes)
  GROUP BY classid, objid, objsubid
), named AS (
  SELECT f.effect, CASE k.contype WHEN 'c' THEN 'check constraint' ELSE o.type END AS kind, o.identity
  FROM found AS f
  LEFT JOIN pg_rewrite AS r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid AND r.rulename = '_RETURN'
  LEFT JOIN pg_publication_rel AS p ON f.classid = 'pg_publication_rel'::regclass AND p.oid = f.objid
  LEFT JOIN pg_constraint AS k ON f.classid = 'pg_constraint'::regclass AND k.oid = f.objid
  LEFT JOIN pg_trigger AS g ON f.classid = 'pg_trigger'::regclass AND g.oid = f.objid
  LEFT JOIN pg_class AS c ON f.classid = 'pg_class'::regclass AND c.oid = f.objid
  CROSS JOIN LATERAL pg_identify_object(
    CASE WHEN r.oid IS NOT NULL THEN 'pg_class'::regclass::oid
         WHEN p.oid IS NOT NULL THEN 'pg_publication'::regclass::oid ELSE f.classid END,
    coalesce(r.ev_class, p.prpubid, f.objid),
    CASE WHEN r.oid IS NOT NULL OR p.oid IS NOT NULL THEN 0 ELSE f.objsubid END
  ) AS o
  WHERE f.classid NOT IN ('pg_type'::regclass, 'pg_attrdef'::regclass)
    AND k.contype IS DISTINCT FROM 'n'
    AND coalesce(k.conparentid, 0) = 0 AND k.conislocal IS NOT FALSE AND coalesce(NOT c.relispartition, true)
    AND g.tgisinternal IS NOT TRUE
    AND NOT coalesce(g.tgname LIKE 'zz%\_transhume\_%', false)
    AND NOT (f.classid = 'pg_class'::regclass AND c.relnamespace = 'pg_toast'::regnamespace)
)
SELECT max(effect) AS effect, kind, identity FROM named GROUP BY kind, identity
) AS live;

INSERT INTO transhume.removal_statement (project, removal, stage, place, object, statement)
SELECT 'demo', 'people', 'column', a.attnum * 100 + s.place, a.attname, s.statement
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname IN ('old_code') AND NOT a.attisdropped
JOIN pg_type AS y ON y.oid = a.atttypid
CROSS JOIN LATERAL (VALUES (format('ALTER TABLE ONLY %s ALTER COLUMN %I', c.oid::regclass, a.attname))) AS alter (start)
CROSS JOIN LATERAL (
  SELECT 1, alter.start || ' SET STORAGE ' ||
    CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
  WHERE a.attstorage <> y.typstorage
  UNION ALL
  SELECT 2, alter.start || ' SET COMPRESSION ' || CASE a.attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END
  WHERE a.attcompression <> ''
  UNION ALL
  SELECT 3, alter.start || ' SET STATISTICS ' || a.attstattarget WHERE a.attstattarget >= 0
  UNION ALL
  SELECT 4, alter.start || ' SET (' || string_agg(o, ', ') || ')'
  FROM unnest(a.attoptions) AS o
  WHERE o NOT LIKE 'pg\_attver=%'  -- the server's own
  HAVING count(*) > 0
  UNION ALL
  SELECT 5, format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname, col_description(c.oid, a.attnum))
  WHERE col_description(c.oid, a.attnum) IS NOT NULL
  UNION ALL
  SELECT 5 + x.nth, format(
    '%sGRANT %s (%I) ON %s TO %s%s%s',
    CASE WHEN x.grantor <> c.relowner THEN format('SET LOCAL ROLE %I; ', pg_get_userbyid(x.grantor)) ELSE '' END,
    x.privilege_type, a.attname, c.oid::regclass,
    CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
    CASE WHEN x.grantor <> c.relowner THEN '; RESET ROLE' ELSE '' END
  )
  FROM aclexplode(a.attacl) WITH ORDINALITY AS x (grantor, grantee, privilege_type, is_grantable, nth)
  UNION ALL
  SELECT 99, format('SECURITY LABEL FOR %I ON COLUMN %s.%I IS %L', l.provider, c.oid::regclass, a.attname, l.label)
  FROM pg_seclabel AS l
  WHERE l.classoid = 'pg_class'::regclass AND l.objoid = c.oid AND l.objsubid = a.attnum
) AS s (place, statement)
WHERE c.oid = ANY (ARRAY['app.people', 'app.staff', 'app.interns']::regclass[]);

INSERT INTO transhume.removal_statement (project, removal, stage, place, object, statement)
WITH t AS (
  SELECT c.oid, a.attnum
  FROM pg_class AS c
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname IN ('old_code') AND NOT a.attisdropped
  WHERE c.oid = ANY (ARRAY['app.people', 'app.staff', 'app.interns']::regclass[])
), key AS (
  SELECT DISTINCT k.*
  FROM t
  JOIN pg_constraint AS k ON k.conrelid = t.oid AND (
    t.attnum = ANY (k.conkey)
    OR EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = k.conindid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = t.attnum
    )
  )
), index AS (
  SELECT DISTINCT i.indexrelid, i.indrelid, i.indisclustered, i.indisreplident, k.conname
  FROM t
  JOIN pg_depend AS d
    ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = t.oid AND d.refobjsubid = t.attnum
  JOIN pg_index AS i ON i.indexrelid = d.objid AND i.indrelid = t.oid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  UNION
  SELECT i.indexrelid, i.indrelid, i.indisclustered, i.indisreplident, k.conname
  FROM key AS k
  JOIN pg_index AS i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
), statistics AS (
  SELECT DISTINCT s.*
  FROM t
  JOIN pg_statistic_ext AS s ON s.stxrelid = t.oid
  JOIN pg_depend AS d
    ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
    AND d.refobjid = t.oid AND d.refobjsubid = t.attnum
)
SELECT 'demo', 'people', s.stage, row_number() OVER (ORDER BY s.stage, s.object, s.place), s.object, s.statement
FROM (
  SELECT 'check', k.conname::text, 1, format(
    'ALTER TABLE %s ADD CONSTRAINT %I %s%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid),
    CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END
  )
  FROM key AS k
  WHERE k.contype = 'c' AND k.conislocal
  UNION ALL
  SELECT 'null', k.conname, 1, format(
    'ALTER TABLE %s RENAME CONSTRAINT %I TO %I', k.conrelid::regclass, usual.name, k.conname
  )
  FROM key AS k
  JOIN pg_class AS c ON c.oid = k.conrelid
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  CROSS JOIN LATERAL (VALUES (c.relname || '_' || a.attname || '_not_null')) AS usual (name)
  WHERE k.contype = 'n' AND k.conname <> usual.name AND k.coninhcount = 0  -- since 18 NOT NULL has a name
  UNION ALL
  SELECT 'null', k.conname, 2, format(
    'ALTER TABLE ONLY %s ALTER COLUMN %I SET NOT NULL', k.conrelid::regclass, a.attname
  )
  FROM key AS k
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  WHERE k.contype = 'n' AND k.coninhcount > 0 AND k.conislocal  -- a child's own too
  UNION ALL
  SELECT 'validate', k.conname, 2, format('ALTER TABLE %s VALIDATE CONSTRAINT %I', k.conrelid::regclass, k.conname)
  FROM key AS k
  WHERE k.contype = 'c' AND k.convalidated
  UNION ALL
  SELECT 'detail', k.conname, 3, format(
    'COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, k.conrelid::regclass, obj_description(k.oid, 'pg_constraint')
  )
  FROM key AS k
  WHERE obj_description(k.oid, 'pg_constraint') IS NOT NULL
  UNION ALL
  SELECT 'detail', i.indexrelid::regclass::text, 4, format(
    'COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, obj_description(i.indexrelid, 'pg_class')
  )
  FROM index AS i
  WHERE obj_description(i.indexrelid, 'pg_class') IS NOT NULL
  UNION ALL
  SELECT 'detail', i.indexrelid::regclass::text, 5, format(
    'ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.indexrelid::regclass, x.attnum, x.attstattarget
  )
  FROM index AS i
  JOIN pg_attribute AS x ON x.attrelid = i.indexrelid AND x.attstattarget >= 0
  UNION ALL
  SELECT 'detail', i.indexrelid::regclass::text, 6, format(
    'ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, c.relname
  )
  FROM index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  WHERE i.indisclustered
  UNION ALL
  SELECT 'detail', s.stxname, 7, pg_get_statisticsobjdef(s.oid)
  FROM statistics AS s
  UNION ALL
  SELECT 'detail', s.stxname, 8 + x.place, x.statement
  FROM statistics AS s
  CROSS JOIN LATERAL (VALUES (format('%s.%I', s.stxnamespace::regnamespace, s.stxname))) AS named (name)
  CROSS JOIN LATERAL (
    SELECT 0, format('ALTER STATISTICS %s SET STATISTICS %s', named.name, s.stxstattarget) WHERE s.stxstattarget >= 0
    UNION ALL
    SELECT 1, format('ALTER STATISTICS %s OWNER TO %I', named.name, pg_get_userbyid(s.stxowner))
    UNION ALL
    SELECT 2, format('COMMENT ON STATISTICS %s IS %L', named.name, obj_description(s.oid, 'pg_statistic_ext'))
    WHERE obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL
  ) AS x (place, statement)
) AS s (stage, object, place, statement);

-- transhume: revert on target
DELETE FROM transhume.removal_descriptor WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.removal_dependent WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.removal_statement WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.removal_figure WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.guard_hit WHERE (project, removal) = ('demo', 'people');
