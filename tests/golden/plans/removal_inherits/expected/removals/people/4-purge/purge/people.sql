-- purge.people: transhume.backup_demo_people is dropped, with its triggers
-- from   specs/demo/removals/people.yaml:1
-- after  export.people
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (DROP TRIGGER)
-- undo   none: the values are in the exported file alone

-- transhume: gate on target binds run -- it was exported
SELECT 'the backup was not exported' AS problem
WHERE NOT EXISTS (
  SELECT FROM transhume.removal_export AS e
  WHERE (e.project, e.removal) = ('demo', 'people') AND e.run = $1::uuid
);

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.people and each of its children
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
DROP FUNCTION transhume.moving_demo_people(), transhume.soak_demo_people(), transhume.truncated_demo_people();
DROP TABLE transhume.moved_demo_people, transhume.backup_demo_people;
