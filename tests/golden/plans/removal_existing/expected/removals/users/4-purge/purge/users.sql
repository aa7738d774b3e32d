-- purge.users: transhume.backup_demo_users is dropped, with its triggers
-- from   specs/demo/removals/users.yaml:1
-- after  export.users
-- locks  ACCESS EXCLUSIVE on app.users (DROP TRIGGER)
-- undo   none: the values are in the exported file alone

-- transhume: gate on target binds run -- it was exported
SELECT 'the backup was not exported' AS problem
WHERE NOT EXISTS (
  SELECT FROM transhume.removal_export AS e
  WHERE (e.project, e.removal) = ('demo', 'users') AND e.run = $1::uuid
);

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.users
DROP TRIGGER zzzz_transhume_users_moving ON app.users;
DROP TRIGGER zz_transhume_users_soak ON app.users;
DROP TRIGGER zz_transhume_users_soak_update ON app.users;
DROP TRIGGER zz_transhume_users_truncate ON app.users;
DROP FUNCTION transhume.moving_demo_users(), transhume.soak_demo_users(), transhume.truncated_demo_users();
DROP TABLE transhume.moved_demo_users, transhume.backup_demo_users;
