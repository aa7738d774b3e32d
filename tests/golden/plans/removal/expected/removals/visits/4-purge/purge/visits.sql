-- purge.visits: transhume.backup_demo_visits is dropped, with its triggers
-- from   specs/demo/removals/visits.yaml:1
-- after  export.visits
-- locks  ACCESS EXCLUSIVE on app.visits (DROP TRIGGER)
-- undo   none: the values are in the exported file alone

-- transhume: gate on target binds run -- it was exported
SELECT 'the backup was not exported' AS problem
WHERE NOT EXISTS (
  SELECT FROM transhume.removal_export AS e
  WHERE (e.project, e.removal) = ('demo', 'visits') AND e.run = $1::uuid
);

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.visits
DROP TRIGGER zzzz_transhume_visits_moving ON app.visits;
DROP TRIGGER zz_transhume_visits_soak ON app.visits;
DROP TRIGGER zz_transhume_visits_soak_update ON app.visits;
DROP TRIGGER zz_transhume_visits_truncate ON app.visits;
DROP FUNCTION transhume.moving_demo_visits(), transhume.soak_demo_visits(), transhume.truncated_demo_visits();
DROP TABLE transhume.moved_demo_visits, transhume.backup_demo_visits;
