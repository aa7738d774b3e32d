-- finish.profiles: app.profiles: statistics
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  constrain.profiles
-- locks  SHARE UPDATE EXCLUSIVE on app.profiles (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.profiles;
