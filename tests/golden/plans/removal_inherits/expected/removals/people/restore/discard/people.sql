-- discard.people: transhume.backup_demo_people is dropped
-- from   specs/demo/removals/people.yaml:1
-- after  release.people
-- undo   phase 1 makes another backup

-- transhume: apply on target
DROP TABLE transhume.moved_demo_people, transhume.backup_demo_people;
DELETE FROM transhume.removal_descriptor WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.removal_dependent WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.removal_statement WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.removal_figure WHERE (project, removal) = ('demo', 'people');
DELETE FROM transhume.guard_hit WHERE (project, removal) = ('demo', 'people');
