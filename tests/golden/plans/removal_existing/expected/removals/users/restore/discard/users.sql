-- discard.users: transhume.backup_demo_users is dropped
-- from   specs/demo/removals/users.yaml:1
-- after  release.users
-- undo   phase 1 makes another backup

-- transhume: apply on target
DROP TABLE transhume.moved_demo_users, transhume.backup_demo_users;
DELETE FROM transhume.removal_descriptor WHERE (project, removal) = ('demo', 'users');
DELETE FROM transhume.removal_dependent WHERE (project, removal) = ('demo', 'users');
DELETE FROM transhume.removal_statement WHERE (project, removal) = ('demo', 'users');
DELETE FROM transhume.removal_figure WHERE (project, removal) = ('demo', 'users');
DELETE FROM transhume.guard_hit WHERE (project, removal) = ('demo', 'users');
