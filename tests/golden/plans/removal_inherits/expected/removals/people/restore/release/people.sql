-- release.people: app.people: without the removal's triggers; the columns are what they were
-- from   specs/demo/removals/people.yaml:1
-- after  recreate.people
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (DROP TRIGGER)
-- locks  SHARE UPDATE EXCLUSIVE on app.people and each of its children (ANALYZE, outside of a transaction)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: gate on target -- the table has what the backup has
SELECT count(*) || ' rows have not the value of the backup' AS problem
FROM transhume.backup_demo_people AS b
LEFT JOIN app.people AS t ON t.id = b.id AND t.tableoid = b._member
WHERE b._present AND (('old_code' <> ALL (b._written) AND NOT b._born AND (t.id IS NULL OR pg_catalog.record_image_ne(ROW(t.old_code), ROW(b.old_code)))))
HAVING count(*) > 0;

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_wrote_1 ON app.people;
DROP TRIGGER zz_transhume_people_wrote_1 ON app.staff;
DROP TRIGGER zz_transhume_people_wrote_1 ON app.interns;
DROP TRIGGER zzzz_transhume_people_moving ON app.people;
DROP TRIGGER zzzz_transhume_people_moving ON app.staff;
DROP TRIGGER zzzz_transhume_people_moving ON app.interns;
DROP TRIGGER zz_transhume_people_soak ON app.people;
DROP TRIGGER zz_transhume_people_soak_update ON app.people;
DROP TRIGGER zz_transhume_people_soak ON app.staff;
DROP TRIGGER zz_transhume_people_soak_update ON app.staff;
DROP TRIGGER zz_transhume_people_soak ON app.interns;
DROP TRIGGER zz_transhume_people_soak_update ON app.interns;
DROP TRIGGER zz_transhume_people_truncate ON app.people;
DROP TRIGGER zz_transhume_people_truncate ON app.staff;
DROP TRIGGER zz_transhume_people_truncate ON app.interns;
DROP FUNCTION transhume.wrote_demo_people(), transhume.moving_demo_people(), transhume.soak_demo_people(), transhume.truncated_demo_people();

-- transhume: vacuum on target -- statistics
ANALYZE app.people (old_code), app.staff (old_code), app.interns (old_code);

-- transhume: verify on target -- identical, but for the place in the row
SELECT 'old_code' || ': ' || d.key || ' was ' || coalesce(d.value::text, 'nothing') || ', is ' ||
  coalesce(live.descriptor -> d.key, 'null')::text AS problem
FROM transhume.removal_descriptor AS was
CROSS JOIN LATERAL jsonb_each(was.descriptor) AS d
LEFT JOIN (
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
) AS live (descriptor) ON true
WHERE (was.project, was.removal, was.column_name) = ('demo', 'people', 'old_code')
  AND d.value IS DISTINCT FROM live.descriptor -> d.key
UNION ALL
SELECT 'app.staff.old_code' || ': ' || d.key || ' was ' || coalesce(d.value::text, 'nothing') || ', is ' ||
  coalesce(live.descriptor -> d.key, 'null')::text AS problem
FROM transhume.removal_descriptor AS was
CROSS JOIN LATERAL jsonb_each(was.descriptor) AS d
LEFT JOIN (
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
) AS live (descriptor) ON true
WHERE (was.project, was.removal, was.column_name) = ('demo', 'people', 'app.staff.old_code')
  AND d.value IS DISTINCT FROM live.descriptor -> d.key
UNION ALL
SELECT 'app.interns.old_code' || ': ' || d.key || ' was ' || coalesce(d.value::text, 'nothing') || ', is ' ||
  coalesce(live.descriptor -> d.key, 'null')::text AS problem
FROM transhume.removal_descriptor AS was
CROSS JOIN LATERAL jsonb_each(was.descriptor) AS d
LEFT JOIN (
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
) AS live (descriptor) ON true
WHERE (was.project, was.removal, was.column_name) = ('demo', 'people', 'app.interns.old_code')
  AND d.value IS DISTINCT FROM live.descriptor -> d.key;
