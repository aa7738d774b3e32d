-- discard.visits: transhume.backup_demo_visits is dropped
-- from   specs/demo/removals/visits.yaml:1
-- after  release.visits
-- undo   phase 1 makes another backup

-- transhume: apply on target
DROP TABLE transhume.moved_demo_visits, transhume.backup_demo_visits;
DELETE FROM transhume.removal_descriptor WHERE (project, removal) = ('demo', 'visits');
DELETE FROM transhume.removal_dependent WHERE (project, removal) = ('demo', 'visits');
DELETE FROM transhume.removal_statement WHERE (project, removal) = ('demo', 'visits');
DELETE FROM transhume.removal_figure WHERE (project, removal) = ('demo', 'visits');
DELETE FROM transhume.guard_hit WHERE (project, removal) = ('demo', 'visits');
