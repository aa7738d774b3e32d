-- purge.users: transhume.backup_production_users is dropped, with its triggers
-- from   specs/production/removals/users.yaml:2
-- after  export.users
-- locks  ACCESS EXCLUSIVE on app.users (DROP TRIGGER)
-- undo   none: the values are in the exported file alone

-- transhume: gate on target binds run -- it was exported
SELECT 'the backup was not exported' AS problem
WHERE NOT EXISTS (
  SELECT FROM transhume.removal_export AS e
  WHERE (e.project, e.removal) = ('production', 'users') AND e.run = $1::uuid
);

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.users
DROP TRIGGER zzzz_transhume_users_moving ON app.users;
DROP TRIGGER zz_transhume_users_soak ON app.users;
DROP TRIGGER zz_transhume_users_soak_update ON app.users;
DROP TRIGGER zz_transhume_users_truncate ON app.users;
DROP FUNCTION transhume.moving_production_users(), transhume.soak_production_users(), transhume.truncated_production_users();
DROP TABLE transhume.moved_production_users, transhume.backup_production_users;
