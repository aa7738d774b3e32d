CREATE VIEW app.user_list WITH (security_barrier) AS
SELECT id, email, team_id
FROM app.users;
