-- guard.people: app.people (old_code): whoever writes it is noted in transhume.guard_hit
-- from   specs/demo/removals/people.yaml:1
-- after  relax.people
-- locks  SHARE ROW EXCLUSIVE on app.people and each of its children (CREATE TRIGGER)
-- undo   drops the triggers

-- transhume: gate on target -- nothing in the database needs it any more
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
WHERE u.effect IN ('refuses', 'rebuilt', 'breaks') AND u.dependent NOT IN (
  ''
)
ORDER BY 1;

-- transhume: apply on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.guard_hit (project, removal, operation, role, application)
  VALUES ('demo', 'people', tg_op, session_user, coalesce(current_setting('application_name', true), ''));
  RETURN new;
END
$transhume$;

-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zzzz_transhume_people_guard_insert BEFORE INSERT ON app.people
  FOR EACH ROW WHEN (
    pg_catalog.record_image_ne(ROW(new.old_code), ROW('-'::character varying::character varying(8)))
  )
  EXECUTE FUNCTION transhume.guard_demo_people();
-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zzzz_transhume_people_guard_update BEFORE UPDATE ON app.people
  FOR EACH ROW WHEN (
    pg_catalog.record_image_ne(ROW(old.old_code), ROW(new.old_code))
  )
  EXECUTE FUNCTION transhume.guard_demo_people();
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zzzz_transhume_people_guard_insert BEFORE INSERT ON app.staff
  FOR EACH ROW WHEN (
    pg_catalog.record_image_ne(ROW(new.old_code), ROW('staff'::character varying::character varying(8)))
  )
  EXECUTE FUNCTION transhume.guard_demo_people();
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zzzz_transhume_people_guard_update BEFORE UPDATE ON app.staff
  FOR EACH ROW WHEN (
    pg_catalog.record_image_ne(ROW(old.old_code), ROW(new.old_code))
  )
  EXECUTE FUNCTION transhume.guard_demo_people();
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zzzz_transhume_people_guard_insert BEFORE INSERT ON app.interns
  FOR EACH ROW WHEN (
    pg_catalog.record_image_ne(ROW(new.old_code), ROW('-'::character varying::character varying(8)))
  )
  EXECUTE FUNCTION transhume.guard_demo_people();
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zzzz_transhume_people_guard_update BEFORE UPDATE ON app.interns
  FOR EACH ROW WHEN (
    pg_catalog.record_image_ne(ROW(old.old_code), ROW(new.old_code))
  )
  EXECUTE FUNCTION transhume.guard_demo_people();

-- transhume: revert on target
DROP TRIGGER zzzz_transhume_people_guard_insert ON app.people;
DROP TRIGGER zzzz_transhume_people_guard_update ON app.people;
DROP TRIGGER zzzz_transhume_people_guard_insert ON app.staff;
DROP TRIGGER zzzz_transhume_people_guard_update ON app.staff;
DROP TRIGGER zzzz_transhume_people_guard_insert ON app.interns;
DROP TRIGGER zzzz_transhume_people_guard_update ON app.interns;
DROP FUNCTION transhume.guard_demo_people();
