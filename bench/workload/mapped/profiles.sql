SELECT UUID(profiles, s.id) AS id, s.id::bigint AS legacy_id, UUID(users, s.user_id) AS user_id, UUID(offices, s.office_id) AS office_id,
  s.phone::text AS phone, s.settings,
  (CASE s.kind WHEN 0 THEN 'admin' WHEN 1 THEN 'doctor' WHEN 2 THEN 'staff' WHEN 3 THEN 'lab' WHEN 4 THEN 'guest' END)::ENUM(user_role) AS role,
  s.created AS created_at, s.modified AS updated_at
FROM public.accounts_profile AS s
