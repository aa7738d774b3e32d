-- discard.users: transhume.backup_production_users is dropped
-- from   specs/production/removals/users.yaml:2
-- after  release.users
-- undo   phase 1 makes another backup

-- transhume: apply on target
DROP TABLE transhume.moved_production_users, transhume.backup_production_users;
DELETE FROM transhume.removal_descriptor WHERE (project, removal) = ('production', 'users');
DELETE FROM transhume.removal_dependent WHERE (project, removal) = ('production', 'users');
DELETE FROM transhume.removal_statement WHERE (project, removal) = ('production', 'users');
DELETE FROM transhume.removal_figure WHERE (project, removal) = ('production', 'users');
DELETE FROM transhume.guard_hit WHERE (project, removal) = ('production', 'users');
