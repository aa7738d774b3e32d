-- finish.profiles: app.profiles: statistics
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  constrain.profiles
-- locks  SHARE UPDATE EXCLUSIVE on app.profiles (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.profiles;
